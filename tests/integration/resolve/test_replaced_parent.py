"""REPLACE of a row that others reference, as MySQL 9.6 and later logs it: carried out in the applier's place."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.lab.proof import snapshot
from replfix.lab.replicate import executed
from replfix.lab.topology import Lab
from tests.integration.resolve.test_on_source import resolve, rows, staged
from tests.integration.resolve.test_strategies import write
from tests.integration.undo.test_recover import killed, outcome, recovered
from tests.integration.undo.test_undo import Command

PARENT = "CREATE TABLE d.p (id INT PRIMARY KEY, v VARCHAR(20))"
CHILD = "CREATE TABLE d.c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES d.p (id))"
HELD = ("INSERT INTO d.p VALUES (1, 'old'), (2, 'other')", "INSERT INTO d.c VALUES (1, 1), (2, 1), (3, 2)")
REPLACE = "REPLACE INTO d.p VALUES (1, 'new')"


def judge(lab: Lab, **expected: Sequence[tuple[str, ...]]) -> None:
    write(lab.source, "INSERT INTO d.p VALUES (90, 'later')", "DELETE FROM d.p WHERE id = 90")
    lab.wait_until_applied()
    assert {table: rows(lab.replica, f"d.{table}") for table in expected} == expected
    with lab.source.session() as source, lab.replica.session() as replica:
        assert executed(source) == executed(replica)
        assert replica.scalar("SELECT @@super_read_only") == "1"


def test_children_stay_and_whatever_else_is_in_the_way_is_repaired(pair: Lab) -> None:
    staged(
        pair,
        PARENT,
        CHILD,
        *HELD,
        local=("INSERT INTO d.p VALUES (3, 'local')", "INSERT INTO d.c VALUES (9, 1)"),
        then=(REPLACE, "INSERT INTO d.p VALUES (3, 'source')"),
    )
    before = snapshot(pair.replica)
    dry = resolve(pair, "source-wins", "--dry-run")
    assert dry.code == 3, dry.out + dry.err
    assert "3 rows of d.c (c_ibfk_1: 1) reference it, which stay" in dry.document["rounds"][0]["risks"][0]
    assert snapshot(pair.replica) == before
    ran = resolve(pair, "source-wins", "--yes")
    assert (ran.code, ran.document["displaced_rows"]) == (0, 1), ran.out + ran.err
    parents = [("1", "new"), ("2", "other"), ("3", "source")]
    judge(pair, p=parents, c=[("1", "1"), ("2", "1"), ("3", "2"), ("9", "1")])


def test_killed_when_it_was_committed(pair: Lab) -> None:
    command = Command(pair)
    staged(pair, PARENT, CHILD, *HELD, then=(REPLACE,))
    killed(pair, "replfix.mysql.write.repair:HeldChannel.commit_transaction+", "resolve", "replica1")
    assert outcome(command, recovered(command)[-1])["result"] == "applied and verified"
    judge(pair, p=[("1", "new"), ("2", "other")], c=[("1", "1"), ("2", "1"), ("3", "2")])


def test_a_cascade_in_the_same_transaction_is_left_to_a_human(pair: Lab) -> None:
    """A child that only the replica has would stay behind without its parent."""
    staged(
        pair,
        PARENT,
        CHILD,
        "CREATE TABLE d.g (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES d.p (id) ON DELETE CASCADE)",
        *HELD,
        local=("INSERT INTO d.p VALUES (4, 'both')", "INSERT INTO d.g VALUES (1, 2)"),
        then=(REPLACE, "DELETE FROM d.c WHERE id = 3", "DELETE FROM d.p WHERE id = 2"),
    )
    before = snapshot(pair.replica)
    ran = resolve(pair, "source-wins", "--yes")
    assert ran.code == 4, ran.out + ran.err
    assert "a foreign key that cascades (g_ibfk_1 of d.g) has rows of the replica to change" in ran.document["message"]
    assert snapshot(pair.replica) == before
