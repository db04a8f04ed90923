"""What the worlds of seeds from ``FIRST`` on vary beside schema, work and divergence: how the source logs, how the replica
applies, GTIDs or positions, statements and tables of more kinds, and ``skip``. Seeds below it stay what they were."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from replfix.core.sql import string
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPL
from replfix.lab.lab_state import LabServer
from replfix.lab.topologies import no_gtid
from replfix.lab.topology import Lab
from replfix.mysql.connection import terms
from tests.skipping import may_skip

FIRST = 1_000_000
"""The first seed with variations. What they are is drawn apart from what the seed means otherwise."""

STRATEGIES = ("source-wins",) * 5 + ("keep-both", "keep-both", "replica-wins")
MORE_STRATEGIES = (*STRATEGIES, "skip", "skip", "skip")
"""How often each is drawn, below ``FIRST`` and from there on."""

PARALLEL_MODE = "slave_parallel_mode"  # MariaDB has no other word

Settings = tuple[tuple[str, str], ...]  # global variables and their values


@dataclass(frozen=True, slots=True)
class Variation:
    strategy: str
    wide: bool = False  # tables and statements of more kinds
    source: Settings = ()
    replica: Settings = ()
    by_position: bool = False  # on MySQL without GTIDs
    skips: int = 0  # how many transactions are left out; source-wins does the rest

    @property
    def whole_rows(self) -> bool:
        """Whether the source logs every column of a row."""
        return dict(self.source).get("binlog_row_image", "FULL") == "FULL"

    @property
    def whole_documents(self) -> bool:
        """Whether it logs a JSON document whole, and not what changed in it: where nothing did, nothing."""
        return "binlog_row_value_options" not in dict(self.source)

    def in_words(self) -> Iterator[str]:
        """For counts: each thing that is not as it mostly is."""
        for name, value in (*self.source, *self.replica):
            yield f"{name}={value}"
        if self.by_position:
            yield "by position"


def drawn(seed: int, product: str) -> Variation:
    strategy = random.Random(f"strategy {seed}")  # apart, so that a seed stays the same schema and work
    if seed < FIRST:
        return Variation(strategy.choice(STRATEGIES))
    chosen = strategy.choice(MORE_STRATEGIES)
    rng = random.Random(f"variation {seed}")
    by_position = rng.random() < 0.15
    source, replica = (_mysql if product == "MySQL" else _mariadb)(rng)
    skips = 0
    if chosen == "skip":
        skips = rng.choice((1, 2, 3, 60, 60, 60))
        # Of a row that is left out, an event without all columns makes what only the applier knows.
        source = tuple(each for each in source if each[0] not in ("binlog_row_image", "binlog_row_value_options"))
    return Variation(chosen, True, source, replica, by_position, skips)


def _some(rng: random.Random, *each: tuple[float, str, tuple[str, ...]]) -> Settings:
    """Every one is drawn for, whether it is taken or not: one more at the end changes none of the others."""
    found = [(rng.random() < share, name, rng.choice(values)) for share, name, values in each]
    return tuple((name, value) for taken, name, value in found if taken)


def _mysql(rng: random.Random) -> tuple[Settings, Settings]:
    return (
        _some(
            rng,
            (0.45, "binlog_row_image", ("MINIMAL", "MINIMAL", "NOBLOB")),
            (0.3, "binlog_row_value_options", ("PARTIAL_JSON",)),
            (0.15, "binlog_transaction_compression", ("ON",)),
            (0.15, "binlog_checksum", ("NONE",)),
        ),
        _some(
            rng,
            (0.7, "replica_parallel_workers", ("0", "1", "2", "8")),
            (0.3, "replica_preserve_commit_order", ("OFF",)),
        ),
    )


def _mariadb(rng: random.Random) -> tuple[Settings, Settings]:
    source = _some(
        rng,
        (0.45, "binlog_row_image", ("MINIMAL", "MINIMAL", "NOBLOB")),
        (0.2, "log_bin_compress", ("ON",)),
        (0.15, "binlog_checksum", ("NONE",)),
        (0.2, "binlog_annotate_row_events", ("OFF",)),
    )
    if ("log_bin_compress", "ON") in source:
        source = (*source, ("log_bin_compress_min_len", "10"))  # else it is for larger events than these
    return (
        source,
        _some(
            rng,
            (0.7, terms.PARALLEL_THREADS, ("0", "1", "2", "8")),
            (0.5, PARALLEL_MODE, ("conservative", "aggressive", "minimal", "none")),
        ),
    )


@contextmanager
def arranged(lab: Lab, variation: Variation) -> Iterator[None]:
    """While inside, the servers are as the variation says, and the channel runs; afterwards they are as they were, and it is stopped."""
    if not variation.wide:
        yield
        return
    product = lab.provision.flavour.product
    with ExitStack() as undo:
        if variation.by_position:
            undo.callback(_by_gtid, lab.source, lab.replica, product)
            _by_position(lab.source, lab.replica, product)
        if variation.skips:
            undo.enter_context(may_skip(lab.replica))
        undo.callback(set_variables, lab.source, set_variables(lab.source, variation.source))
        undo.callback(set_variables, lab.replica, set_variables(lab.replica, variation.replica))
        with lab.replica.session() as session:
            session.execute("START REPLICA")
        yield


def set_variables(server: LabServer, settings: Settings) -> Settings:
    """What they were. Most of a replica's count from the start of its channel on, some want it stopped."""
    with server.session() as session:
        if server.role.follows:
            session.execute("STOP REPLICA")
        then = tuple((name, str(session.scalar(f"SELECT @@GLOBAL.{name}"))) for name, _ in settings)
        for name, value in settings:
            session.execute(f"SET GLOBAL {name} = {value if value.isdigit() else string(value)}")
    return then


def _by_position(source: LabServer, replica: LabServer, product: str) -> None:
    if product == "MySQL":
        no_gtid.connect(source, replica)
        return
    with source.session() as session:
        log = next(iter(session.query("SHOW BINARY LOGS")))["Log_name"]
    with replica.session() as session:
        session.execute("STOP REPLICA")
        session.execute(terms.change_source(log_file=string(str(log)), log_pos=4, use_gtid="no"))
        session.execute("START REPLICA")


def _by_gtid(source: LabServer, replica: LabServer, product: str) -> None:
    if product == "MySQL":
        no_gtid.undo(source, replica)
        return
    with replica.session() as session:
        session.execute("STOP REPLICA")
        session.execute("RESET REPLICA")
        speaking(session).configure_channel(session, source.host, source.port, REPL)
