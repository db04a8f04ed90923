"""How the servers of one world are set, beside what their tables do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from replfix.lab.topology import Lab
from tests.convergence.variation import Settings as Variables
from tests.convergence.variation import set_variables

FIRST = 2_000_000
"""The first seed of these worlds."""
RICHER = 7_000_000
"""The first of those with tables and drift of more kinds."""


@dataclass(frozen=True, slots=True)
class Settings:
    both: Variables
    source: Variables
    replica: Variables
    formats: tuple[str, ...]  # of binlog_format, drawn for each transaction
    definitions: float  # the share of transactions that change a definition
    xa: float
    drifts: int
    logged: float  # the share of the replica's own writes that it logs
    receiver: str  # runs, both stopped, IO stopped

    def in_words(self) -> Iterator[str]:
        yield from (f"{name}={value}" for name, value in (*self.both, *self.source, *self.replica))
        if self.receiver != "runs":
            yield f"receiver: {self.receiver}"
        if len(set(self.formats)) > 1 or "ROW" not in self.formats:
            yield f"logged as {'/'.join(dict.fromkeys(self.formats))}"


def drawn(seed: int, product: str) -> Settings:
    rng = random.Random(f"wild {seed}")
    source: list[tuple[str, str]] = []
    both: list[tuple[str, str]] = []
    replica: list[tuple[str, str]] = []
    if product == "MySQL":
        if rng.random() < 0.2:
            source.append(("binlog_row_value_options", "PARTIAL_JSON"))
        if rng.random() < 0.5:
            replica.append(("replica_parallel_workers", rng.choice(("0", "1", "8"))))
    else:
        if rng.random() < 0.75:
            both += [("gtid_domain_id", "0"), ("gtid_strict_mode", "OFF"), ("binlog_row_metadata", "NO_LOG")]
        if rng.random() < 0.6:
            replica.append(("slave_parallel_threads", rng.choice(("0", "2", "8"))))
    formats = rng.choice((("ROW",), ("ROW",), ("ROW",), ("ROW", "ROW", "MIXED"), ("ROW", "STATEMENT"), ("MIXED",)))
    return Settings(
        tuple(both),
        tuple(source),
        tuple(replica),
        formats,
        definitions=rng.choice((0.0, 0.25, 0.4)),
        xa=rng.choice((0.0, 0.0, 0.2)),
        drifts=rng.choice((0, 0, 0, 1, 1, 2)),
        logged=rng.choice((0.0, 0.5)),
        receiver=rng.choice(("runs",) * 4 + ("both stopped", "IO stopped")),
    )


@contextmanager
def arranged(lab: Lab, settings: Settings) -> Iterator[None]:
    """While inside, the servers are set so, and the channel runs; afterwards they are as they were, and it is stopped."""
    with ExitStack() as undo:
        for server in (lab.source, lab.replica):
            own = settings.replica if server.role.follows else settings.source
            undo.callback(set_variables, server, set_variables(server, (*settings.both, *own)))
        with lab.replica.session() as session:
            session.execute("START REPLICA")
        yield
