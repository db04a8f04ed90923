"""Random work on the source, random divergence on the replica, then ``resolve`` until it has caught up.

The judge is plain SQL: triggers that only the source has note every key that the source's statements touch after the
divergence. Whatever they touched has to be equal on both servers in the end; rows that diverged and were never touched
are nobody's business here. More seeds: ``REPLFIX_SEEDS=200 pytest tests/integration/test_convergence.py``.
"""

from __future__ import annotations

import contextlib
import os
import random
import time

import pytest

from replfix import wiring
from replfix.config import load
from replfix.core.outcome import Result
from replfix.errors import ServerError
from replfix.lab.flavours import speaking
from replfix.lab.replication import channel_state, executed
from replfix.lab.topology import Lab
from replfix.mysql.connection import Session
from replfix.workflow.resolve import resolve

SEEDS = int(os.environ.get("REPLFIX_SEEDS", "8"))

SCHEMA = (
    "CREATE DATABASE d",
    "CREATE TABLE d.t (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, u VARCHAR(10) NULL, a INT NOT NULL, b INT NULL, "
    "v DECIMAL(8,2), UNIQUE KEY u (u), UNIQUE KEY ab (a, b))",
    "CREATE TABLE d.w (k VARCHAR(8) NOT NULL, n INT NOT NULL, x DOUBLE, y TIMESTAMP NULL, z VARBINARY(8), "
    "PRIMARY KEY (k, n), UNIQUE KEY x (x))",
)
KEYS = {"t": ("id",), "w": ("k", "n")}
COLUMNS = {"t": ("id", "u", "a", "b", "v"), "w": ("k", "n", "x", "y", "z")}


class Chance:
    """Statements that collide often: few keys, few values, letters that are equal under the collation."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def statement(self) -> str:
        pick = self.random
        i, n, a = pick.randint(1, 14), pick.randint(0, 4), pick.randint(0, 4)
        u = pick.choice(["NULL", *(f"'{c}'" for c in ("x", "X", "y", "é", "e", "z")), f"'q{pick.randint(0, 9)}'"])
        b = pick.choice(["NULL", str(pick.randint(0, 4))])
        v = pick.choice(["NULL", f"{pick.randint(0, 99)}.5"])
        k = pick.choice(["'k'", "'K'", "'m'", "'ä'"])
        x = pick.choice(["NULL", "0.1", "1e10", "-3.25", repr(pick.random())])
        return pick.choice(
            [
                f"INSERT INTO d.t VALUES ({i}, {u}, {a}, {b}, {v})",
                f"INSERT INTO d.t (u, a, b, v) VALUES ({u}, {a}, {b}, {v})",
                f"UPDATE d.t SET u = {u} WHERE id = {i}",
                f"UPDATE d.t SET a = {a}, b = {b} WHERE id = {i}",
                f"UPDATE d.t SET v = {v} WHERE id = {i}",
                f"UPDATE d.t SET id = {i} WHERE id = {pick.randint(1, 14)}",
                f"DELETE FROM d.t WHERE id = {i}",
                f"DELETE FROM d.t WHERE a = {a}",
                f"INSERT INTO d.w VALUES ({k}, {n}, {x}, '2026-01-01 00:00:0{n}', 0x00{n:02x}00)",
                f"UPDATE d.w SET x = {x} WHERE n = {n}",
                f"UPDATE d.w SET k = {k} WHERE n = {n}",
                f"DELETE FROM d.w WHERE k = {k} AND n = {n}",
            ]
        )

    def transaction(self, session: Session, most: int) -> None:
        session.execute("BEGIN")
        for _ in range(self.random.randint(1, most)):
            with contextlib.suppress(ServerError):  # a statement that collides on its own server does nothing
                session.execute(self.statement())
        session.execute("COMMIT")


def watch_keys(source: Session) -> None:
    """From now on, each key that a statement touches is noted; only the source has these triggers."""
    source.execute(
        "CREATE TABLE d.touched (n BIGINT AUTO_INCREMENT PRIMARY KEY, t CHAR(1) NOT NULL, k VARBINARY(40) NOT NULL)"
    )
    source.execute("SET sql_log_bin = 0")
    for table, columns in KEYS.items():
        for event, sides in (("INSERT", ("NEW",)), ("UPDATE", ("OLD", "NEW")), ("DELETE", ("OLD",))):
            notes = " ".join(
                f"INSERT INTO d.touched (t, k) VALUES ('{table}', CONCAT_WS('/', {', '.join(f'{s}.{c}' for c in columns)}));"
                for s in sides
            )
            if (
                event == "UPDATE"
            ):  # one that changes nothing is in no binlog (compared as bytes: 'x' to 'X' is a change)
                same = " AND ".join(f"CAST(OLD.{c} AS BINARY) <=> CAST(NEW.{c} AS BINARY)" for c in COLUMNS[table])
                notes = f"IF NOT ({same}) THEN {notes} END IF;"
            source.execute(
                f"CREATE TRIGGER d.{table}_{event} AFTER {event} ON d.{table} FOR EACH ROW BEGIN {notes} END"
            )
    source.execute("SET sql_log_bin = 1")


def rows_of(session: Session, table: str) -> dict[str, tuple[object, ...]]:
    columns = ", ".join(KEYS[table])
    found = session.rows(f"SELECT CONCAT_WS('/', {columns}), d.{table}.* FROM d.{table}")
    return {key: tuple(row) for key, *row in found}


def resolve_until_it_runs(lab: Lab) -> None:
    config = load(str(lab.config_file))
    for _ in range(10):
        with wiring.Wired(config.target("replica1")) as wired:
            trail = wiring.open_trail(config)
            outcome = resolve(
                wiring.operation(wired, trail, lambda _: None),
                strategy="source-wins",
                channel=None,
                max_rounds=60,
                dry_run=False,
                confirm=lambda *_: True,
            )
            trail.close()
        assert outcome.result in (Result.RESOLVED, Result.NOTHING_TO_DO), f"{outcome.message} {outcome.hint}"
        if outcome.result is Result.NOTHING_TO_DO:
            return
    pytest.fail("the channel stopped again and again")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_the_source_touches_is_equal_in_the_end(any_pair: Lab, seed: int) -> None:
    chance, pair = Chance(seed), any_pair
    with pair.source.session() as source, pair.replica.session() as replica:
        for statement in SCHEMA:
            source.execute(statement)
        for _ in range(12):
            chance.transaction(source, 2)
        watch_keys(source)
        pair.wait_until_applied()

        replica.execute("STOP REPLICA SQL_THREAD")
        with speaking(replica).writable(replica):
            for _ in range(chance.random.randint(1, 8)):
                replica.execute(f"SET sql_log_bin = {chance.random.randint(0, 1)}")
                chance.transaction(replica, 2)
        for _ in range(chance.random.randint(3, 15)):
            chance.transaction(source, 5)
        everything = executed(source)
        before = executed(replica) - everything
        replica.execute("START REPLICA SQL_THREAD")
        for _ in range(100):  # until it has caught up or stopped on something
            state = channel_state(replica)
            if state is None or not state.applier_running or everything <= executed(replica):
                break
            time.sleep(0.05)

        resolve_until_it_runs(pair)
        pair.wait_until_applied()
        for table in KEYS:
            theirs, ours = rows_of(source, table), rows_of(replica, table)
            touched = {k.decode() for (k,) in source.rows(f"SELECT DISTINCT k FROM d.touched WHERE t = '{table}'")}
            wrong = {key: (theirs.get(key), ours.get(key)) for key in touched if theirs.get(key) != ours.get(key)}
            assert not wrong, f"seed {seed}: rows of {table} differ (source, replica)"
        assert executed(replica) - executed(source) == before
        assert set(speaking(replica).read_only(replica)) <= {True, None}
