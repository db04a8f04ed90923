"""keep-both and replica-wins taken back on real servers, the source first; plain SQL judges both."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from replfix.errors import Stale
from replfix.lab.proof import snapshot
from replfix.lab.topology import Lab
from replfix.workflow.undo.undo_repair import UndoOutcome
from replfix.workflow.undo.undo_repair import undo as workflow
from tests.integration.resolve.test_on_source import (
    FAMILY,
    LOCAL_FAMILY,
    ORDERS,
    TOLD,
    WRITTEN,
    interposed,
    judge,
    resolve,
    rows,
    staged,
    two_writers,
)
from tests.integration.resolve.test_strategies import write, write_locally
from tests.integration.undo.test_recover import killed, outcome, recovered
from tests.integration.undo.test_undo import Command, Document
from tests.waiting import until

TABLES = ("d.o", "d.c", "d.g", "d.n")


def kept(lab: Lab, strategy: str = "keep-both") -> str:
    """The audit id of a resolution of what is staged."""
    ran = resolve(lab, strategy, "--yes")
    assert ran.code == 0, ran.out + ran.err
    lab.wait_until_applied()
    return str(ran.document["rounds"][0]["audit_id"])


def in_the_way(lab: Lab, intent: str) -> str:
    """Why it is refused, and that nothing is changed by asking."""
    before = snapshot(lab.source), snapshot(lab.replica)
    code, refused = Command(lab)("undo", intent, "--yes")
    assert (code, refused["outcome"]) == (4, "refused"), refused
    assert (snapshot(lab.source), snapshot(lab.replica)) == before
    return " ".join(refused["in_the_way"])


def steps(document: Document) -> list[tuple[str, str]]:
    return [(step["server"], step["kind"]) for step in document["steps"]]


def test_the_displaced_row_comes_back_where_its_place_is_free_by_now(any_pair: Lab) -> None:
    """First what stands on every server under the new key goes, for it holds the row's other keys."""
    lab, command = any_pair, Command(any_pair)
    two_writers(lab)
    displaced = rows(lab.replica)[1]
    intent = kept(lab)
    write(lab.source, "DELETE FROM d.o WHERE id = 2")
    lab.wait_until_applied()
    protected = snapshot(lab.replica)
    code, undone = command("undo", intent, "--yes")
    assert (code, undone["outcome"]) == (0, "undone"), undone
    assert steps(undone) == [("source", "delete"), ("replica", "insert")]
    held = rows(lab.source)
    assert [row[1] for row in held] == ["A", "T"]
    assert rows(lab.replica) == [held[0], displaced, held[1]]
    after = snapshot(lab.replica)
    assert after.variables == protected.variables
    assert after.executed - snapshot(lab.source).executed == protected.executed - snapshot(lab.source).executed


def test_a_family_goes_together_or_not_at_all(pair: Lab) -> None:
    command = Command(pair)
    staged(pair, *FAMILY, local=LOCAL_FAMILY, then=("INSERT INTO d.o VALUES (2, 'source')",))
    before = {table: rows(pair.source, table) for table in TABLES}
    intent = kept(pair)
    (_, _, (new, _)) = rows(pair.source, "d.o")

    # A child that came since, on one server or the other; the foreign key would take it along.
    write(pair.source, f"INSERT INTO d.c VALUES (70, {new}, 'since')")
    pair.wait_until_applied()
    assert "On the source: 1 row of d.c (70) references by" in in_the_way(pair, intent)
    write(pair.source, "DELETE FROM d.c WHERE id = 70")
    pair.wait_until_applied()
    write_locally(pair.replica, f"INSERT INTO d.n VALUES (71, {new})")
    assert "On the replica: 1 row of d.n (71) references by" in in_the_way(pair, intent)
    write_locally(pair.replica, "DELETE FROM d.n WHERE id = 71")

    code, undone = command("undo", intent, "--yes")
    assert (code, undone["outcome"]) == (0, "undone"), undone
    assert {table: judge(pair, table) for table in TABLES} == before


def test_what_speaks_against_it_is_said_before_anything_is_changed(pair: Lab) -> None:
    staged(
        pair,
        ORDERS,
        local=("INSERT INTO d.o (id, no, v) VALUES (70001, 'A-1', 'local')",),
        then=("INSERT INTO d.o (no, v) VALUES ('A-1', 'source')",),
    )
    intent = kept(pair, "replica-wins")
    for server, statement, back, words in (
        (
            pair.source,
            "UPDATE d.o SET v = 'since' WHERE id = 70001",
            "UPDATE d.o SET v = 'local', at = NULL WHERE id = 70001",
            "On the source: The row 70001 of d.o was changed since the repair: v, at differ",
        ),
        (
            pair.source,
            "CREATE TRIGGER d.t BEFORE DELETE ON d.o FOR EACH ROW SET @x = GET_LOCK('x', 0)",
            "DROP TRIGGER d.t",
            "The trigger d.t (BEFORE DELETE on d.o) has GET_LOCK in its text",
        ),
        (pair.source, "SET GLOBAL read_only = ON", "SET GLOBAL read_only = OFF", "does not accept writes"),
    ):
        write(server, statement)
        pair.wait_until_applied()
        try:
            assert words in in_the_way(pair, intent)
        finally:
            write(server, back)
            pair.wait_until_applied()
    write_locally(pair.replica, "INSERT INTO d.o (id, no) VALUES (1, 'mine')")
    assert "On the replica: A row cannot come back to d.o: its key PRIMARY (1) is taken by the row 1" in in_the_way(
        pair, intent
    )
    write_locally(pair.replica, "DELETE FROM d.o WHERE id = 1")
    write(pair.replica, "STOP REPLICA SQL_THREAD")
    code, refused = Command(pair)("undo", intent, "--yes")
    assert (code, "The channel does not run" in refused["error"]["message"]) == (4, True)
    write(pair.replica, "START REPLICA SQL_THREAD")
    until(lambda: Command(pair)("undo", intent, "--dry-run")[0] == 3)

    log = "CREATE TRIGGER d.t AFTER DELETE ON d.o FOR EACH ROW INSERT INTO d.log VALUES (OLD.id, 1)"
    write(pair.source, "CREATE TABLE d.log (id INT PRIMARY KEY, n INT)", log)
    pair.wait_until_applied()
    code, undone = Command(pair)("undo", intent, "--yes")
    assert (code, undone["outcome"]) == (0, "undone"), undone
    assert "no undo takes back what they do: d.t (AFTER DELETE on d.o)" in " ".join(undone["risks"])
    assert [row[:3] for row in judge(pair)] == [("1", "A-1", "source")]
    assert judge(pair, "d.log") == [("70001", "1")]


def undoing(lab: Lab, intent: str, at: str, do: Callable[[], None]) -> UndoOutcome:
    with interposed(lab, at, do) as operation:
        return workflow(operation, intent, dry_run=False, confirm=lambda _: True)


def test_compare_and_swap(pair: Lab) -> None:
    """What changes while it is carried out is not overwritten, on either server."""
    two_writers(pair)
    intent = kept(pair)
    new = rows(pair.source)[-1][0]
    changed = f"UPDATE d.o SET v = '{{}}' WHERE id = {new}"
    for at, where, match in (
        (
            "Rehearsing what is written",
            lambda s: write(pair.source, s),
            "is no longer what was diagnosed: v, at changed",
        ),
        ("row on the source", lambda s: write(pair.source, s), "is no longer what was diagnosed: v, at changed"),
        ("row on the source", lambda s: write_locally(pair.replica, s), "On the replica: The row .* was changed since"),
    ):
        with pytest.raises(Stale, match=match):
            undoing(pair, intent, at, lambda where=where: where(changed.format("since")))  # type: ignore[misc]
        write(pair.source, f"UPDATE d.o SET v = 'local', at = '2026-01-02 03:04:05.678' WHERE id = {new}")
        write_locally(pair.replica, f"UPDATE d.o SET v = 'local', at = '2026-01-02 03:04:05.678' WHERE id = {new}")
        assert "R" in [row[1] for row in judge(pair)]
    assert Command(pair)("undo", intent, "--yes")[0] == 0
    assert [row[1] for row in judge(pair)] == ["A", "S", "T"]


@pytest.mark.parametrize(
    ("point", "result"), [(TOLD, "not undone"), (WRITTEN, "undone on the source")], ids=["on record", "committed"]
)
def test_killed_while_the_source_is_written(pair: Lab, point: str, result: str) -> None:
    """What is left to do is done by the same command."""
    command = Command(pair)
    two_writers(pair)
    displaced = rows(pair.replica)[1]
    intent = kept(pair)
    write(pair.source, "DELETE FROM d.o WHERE id = 2")
    pair.wait_until_applied()
    protected = snapshot(pair.replica).variables
    killed(pair, point, "undo", intent)
    found = recovered(command)
    payload = outcome(command, found[-1])
    committed = point == WRITTEN
    assert (payload["result"], payload["on_source"]) == (result, "written" if committed else "not_written")
    assert (f"'replfix undo {intent}' goes on" in found[-1]["next"]) is committed
    assert [row[1] for row in judge(pair)] == ["A", "T", *([] if committed else ["R"])]
    assert snapshot(pair.replica).variables == protected
    code, undone = command("undo", intent, "--yes")
    assert (code, undone["outcome"]) == (0, "undone"), undone
    assert steps(undone) == [*([] if committed else [("source", "delete")]), ("replica", "insert")]
    assert displaced in rows(pair.replica)
    assert recovered(command) == []
    assert command("audit", "verify")[0] == 0
