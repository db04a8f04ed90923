"""``prove`` on real servers: a backlog with every kind of conflict is rehearsed, each is named as the server meets it, and
nothing is left of the rehearsal, whatever ends it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from replfix.core.conflicts.ahead.forecast import Forecast
from replfix.errors import NotDone
from replfix.lab.flavours import speaking
from replfix.lab.replicate import transaction, wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.proving import killed_while_proving, proved
from tests.integration.running import replfix
from tests.waiting import until

OF_EACH = 10
"""Conflicts of each kind (two kinds an error number, two of foreign keys), each in a transaction of its own, with others between them."""

TABLES = (
    "CREATE DATABASE d",
    "CREATE TABLE d.t (id INT PRIMARY KEY, u VARCHAR(20) UNIQUE, v VARCHAR(20)) DEFAULT CHARSET utf8mb4",
    "CREATE TABLE d.p (id INT PRIMARY KEY, k INT UNIQUE)",
    "CREATE TABLE d.c (id INT PRIMARY KEY, k INT, CONSTRAINT c_p FOREIGN KEY (k) REFERENCES d.p (k))",
    "CREATE TABLE d.other (id INT PRIMARY KEY) ENGINE = MyISAM",
    "INSERT INTO d.t SELECT n, CONCAT('u', n), 'both' FROM (WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r "
    "WHERE n < 900) SELECT n FROM r) AS s",
    "INSERT INTO d.p SELECT id, id FROM d.t",
)

Kind = tuple[str, str, int, str, str]
"""What the replica did alone, what the source does, the error, the table whose row is in conflict, and its key."""
KINDS: tuple[Callable[[int], Kind], ...] = (
    lambda n: (f"INSERT INTO d.t VALUES ({n + 1000}, 'l{n}', '')", f"INSERT INTO d.t VALUES ({n + 1000}, 's{n}', '')", 1062, "t", "PRIMARY"),
    lambda n: (f"INSERT INTO d.t VALUES ({n + 2000}, 'wü{n}', '')", f"INSERT INTO d.t VALUES ({n + 3000}, 'WÜ{n}', '')", 1062, "t", "u"),
    lambda n: (f"DELETE FROM d.t WHERE id = {n}", f"UPDATE d.t SET v = 'new' WHERE id = {n}", 1032, "t", "PRIMARY"),
    lambda n: (f"DELETE FROM d.t WHERE id = {n + 100}", f"DELETE FROM d.t WHERE id = {n + 100}", 1032, "t", "PRIMARY"),
    lambda n: (f"DELETE FROM d.p WHERE id = {n + 200}", f"INSERT INTO d.c VALUES ({n}, {n + 200})", 1452, "p", "PRIMARY"),
    lambda n: (f"INSERT INTO d.c VALUES ({n + 5000}, {n + 300})", f"DELETE FROM d.p WHERE id = {n + 300}", 1451, "c", "PRIMARY"),
)  # fmt: skip

Told = list[tuple[int | None, str, tuple[str, ...]]]


def told(found: Forecast) -> Told:
    return [(a.errno, a.conflict.table.name, a.conflict.keys[:1]) for a in found.conflicts]


def stopped_by_hand(lab: Lab) -> None:
    with lab.source.session() as session:
        for statement in TABLES:
            session.execute(statement)
    lab.wait_until_applied()
    with lab.replica.session() as session:
        session.execute("STOP REPLICA SQL_THREAD")


def picture(lab: Lab) -> list[object]:
    """Of the replica: its rows, what it has executed, every setting, and GTIDs that a session has reserved."""
    with lab.replica.session() as session:
        rows = [session.rows(f"SELECT * FROM d.{name} ORDER BY 1") for name in ("t", "p", "c", "other")]
        dialect = speaking(session)
        changing = set(dialect.counting)
        settings = {name: v for name, v in dialect.variables(session).items() if name not in changing}
        return [*rows, str(dialect.executed(session)), settings, settings.get("gtid_owned", "")]


def test_every_kind_of_conflict_in_a_backlog(any_pair: Lab) -> None:
    lab = any_pair
    stopped_by_hand(lab)
    alone, backlog, expected, fill = list[str](), list[tuple[str, ...]](), Told(), count(10_000)
    for n in range(1, OF_EACH + 1):
        for kind in KINDS:
            here, there, errno, table, key = kind(n)
            alone.append(here)
            backlog.append((there,))
            expected.append((errno, table, (key,)))
            backlog += [(f"INSERT INTO d.t VALUES ({k}, NULL, '')",) for k in (next(fill), next(fill))]
    # What the backlog itself brings into place is no conflict: a value that moves, and one that comes and goes.
    backlog += [
        ("UPDATE d.t SET u = 'moved' WHERE id = 700", "INSERT INTO d.t VALUES (20000, 'u700', '')"),
        ("DELETE FROM d.t WHERE id = 701",),
        ("INSERT INTO d.t VALUES (701, 'u701', 'again')", "DELETE FROM d.t WHERE id = 20000"),
        # Two conflicts in one transaction: the applier meets the first, and the second is read.
        ("INSERT INTO d.t VALUES (21000, NULL, '')", "INSERT INTO d.t VALUES (21001, NULL, '')"),
        ("INSERT INTO d.other VALUES (1)",),
        ("INSERT INTO d.t VALUES (22000, NULL, '')",),
        ("ALTER TABLE d.t ADD COLUMN w INT",),
        ("INSERT INTO d.t VALUES (22001, NULL, '', 1)",),
    ]
    alone += ["INSERT INTO d.t VALUES (21000, NULL, 'x'), (21001, NULL, 'x'), (22000, NULL, 'x')"]
    expected += [(1062, "t", ("PRIMARY",))] * 3
    write_locally(lab.replica, *alone, logged=False)
    with lab.source.session() as session:
        for statements in backlog:
            transaction(session, *statements)
    wait_until_received(lab.source, lab.replica)
    before = picture(lab)

    found = proved(lab)

    assert told(found) == expected
    assert {a.proven for a in found.conflicts} == {True}
    rows = {a.conflict.replica_row for a in found.conflicts if a.conflict.key_columns == ("u",)}
    assert rows == {(n + 2000, f"wü{n}", "") for n in range(1, OF_EACH + 1)}  # the server's collation says so
    untransactional, ddl = found.scanned.unscanned
    assert str(untransactional.table) == "d.other"
    assert "MyISAM" in untransactional.why
    assert ddl.table is None
    assert "ADD COLUMN w" in ddl.why
    assert found.scanned.transactions == len(backlog) - 3
    assert picture(lab) == before

    with lab.replica.session() as session:
        session.execute("START REPLICA SQL_THREAD")
    error = wait_until_stopped(lab.replica)
    first = found.conflicts[0]
    assert (error.errno, error.key is not None and "PRIMARY" in error.key) == (first.errno, True)
    if error.gtid is not None:
        assert error.gtid == first.transaction.gtid


def test_kill_9_in_the_middle_of_a_rehearsal(pair: Lab, tmp_path: Path) -> None:
    lab = pair
    stopped_by_hand(lab)
    write_locally(lab.replica, "INSERT INTO d.t VALUES (1003, NULL, 'here')", logged=False)
    with lab.source.session() as session:
        for n in range(1001, 1006):
            session.execute(f"INSERT INTO d.t VALUES ({n}, NULL, '')")
    wait_until_received(lab.source, lab.replica)
    before = picture(lab)
    assert killed_while_proving(lab, str(tmp_path / "points"), "sent BINLOG", 4) == -9

    def super_read_only() -> str:
        with lab.replica.session() as session:
            return str(session.scalar("SELECT @@global.super_read_only"))

    assert super_read_only() == "0"
    ran = replfix("recover", "replica1", "--config", str(lab.config_file))
    assert ran.code == 0, ran.out + ran.err
    assert "super_read_only" in ran.out + ran.err
    until(lambda: picture(lab) == before)
    # A second one does it first, too, and of a channel that an error stopped; an applier that runs is left alone.
    with lab.replica.session() as session:
        session.execute("START REPLICA SQL_THREAD")
    wait_until_stopped(lab.replica)
    before = picture(lab)
    assert killed_while_proving(lab, str(tmp_path / "points"), "sent ROLLBACK TO", 1) == -9
    assert super_read_only() == "0"
    assert told(proved(lab)) == [(1062, "t", ("PRIMARY",))]
    assert picture(lab) == before
    write_locally(lab.replica, "DELETE FROM d.t WHERE id = 1003", logged=False)
    assert told(proved(lab)) == []
    with lab.replica.session() as session:
        session.execute("START REPLICA SQL_THREAD")
    lab.wait_until_applied()
    with pytest.raises(NotDone, match="The applier of the channel runs"):
        proved(lab)
