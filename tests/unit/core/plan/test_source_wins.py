"""source-wins: each refusal by its reason, and what its plans look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.child_rows import Child
from replfix.core.conflicts.reconcile import RowRepair
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import Plan, StepKind
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import ForeignKey, Table, TableName, Trigger
from replfix.core.strategies import source_wins
from tests.unit.fakes import Rows
from tests.unit.making import GTID, REPLICA, channel, column, deleted, evidence, inserted, key, status, table, updated

T = table(
    "d.t",
    [column("id"), column("a", nullable=True), column("b", nullable=True)],
    [key("PRIMARY", "id"), key("a", "a")],
)


def gather(changes: Sequence[RowChange], *held: RowImage, of: Table = T, **over: Any) -> Evidence:
    return evidence(changes, Rows.of(of).holding(of, *held), **over)


def plan_of(gathered: Evidence) -> Plan:
    plan = source_wins.propose(gathered).plan
    assert plan is not None
    return plan


def refusal(gathered: Evidence) -> str:
    proposal = source_wins.propose(gathered)
    assert not proposal.allowed
    assert proposal.plan is None
    return proposal.reason


DUPLICATE = (inserted(T, 1, 2, 3),)
MISSING = (deleted(T, 1, 2, 3),)
DIFFERENT = (updated(T, (1, 2, 3), (1, 2, 4)),)


def test_a_row_in_the_way_is_deleted() -> None:
    plan = plan_of(gather(DUPLICATE, (1, 9, 9)))
    assert (plan.strategy, plan.server_uuid, plan.channel, plan.transaction.gtid, plan.errno) == (
        "source-wins",
        REPLICA,
        "",
        GTID,
        1062,
    )
    (step,) = plan.steps
    assert (step.kind, step.current, step.target) == (StepKind.DELETE, (1, 9, 9), None)
    assert step.sql == "DELETE FROM `d`.`t` WHERE `id` = 1"
    assert step.undo_sql == "INSERT INTO `d`.`t` (`id`, `a`, `b`) VALUES (1, 9, 9)"
    assert plan.displaced == (step,)


def test_a_missing_row_is_put_back() -> None:
    (step,) = plan_of(gather(MISSING, errno=1032)).steps
    assert (step.kind, step.current, step.target) == (StepKind.INSERT, None, (1, 2, 3))
    assert step.sql == "INSERT INTO `d`.`t` (`id`, `a`, `b`) VALUES (1, 2, 3)"
    assert step.undo_sql == "DELETE FROM `d`.`t` WHERE `id` = 1"


def test_a_differing_row_is_changed_in_place() -> None:
    (step,) = plan_of(gather(DIFFERENT, (1, 2, 8))).steps
    assert (step.kind, step.current, step.target) == (StepKind.UPDATE, (1, 2, 8), (1, 2, 3))
    assert step.sql == "UPDATE `d`.`t` SET `b` = 3 WHERE `id` = 1"
    assert step.undo_sql == "UPDATE `d`.`t` SET `b` = 8 WHERE `id` = 1"


def test_a_change_that_moves_a_key_becomes_delete_and_insert() -> None:
    steps = plan_of(gather(DIFFERENT, (1, 7, 8))).steps
    assert [(s.kind, s.current, s.target) for s in steps] == [
        (StepKind.DELETE, (1, 7, 8), None),
        (StepKind.INSERT, None, (1, 2, 3)),
    ]


def test_rows_go_before_rows_change_before_rows_come() -> None:
    changes = (
        deleted(T, 1, 10, 0),  # missing, and its key is taken
        updated(T, (2, 20, 0), (2, 20, 1)),  # differs in b
        updated(T, (3, 30, 0), (3, 30, 1)),  # differs in a key
        inserted(T, 4, 40, 0),  # in the way
    )
    steps = plan_of(gather(changes, (9, 10, 0), (2, 20, 5), (3, 31, 0), (4, 41, 0))).steps
    assert [(s.kind.value, (s.current or s.target or ())[0]) for s in steps] == [
        ("delete", 9),
        ("delete", 3),
        ("delete", 4),
        ("update", 2),
        ("insert", 3),
        ("insert", 1),
    ]


def test_columns_that_were_not_logged_keep_the_replicas_values() -> None:
    change = updated(T, (1, NOT_LOGGED, 3), (1, NOT_LOGGED, 4))
    (step,) = plan_of(gather([change], (1, 7, 8))).steps
    assert (step.current, step.target) == ((1, 7, 8), (1, 7, 3))


def test_nothing_in_the_way_any_more() -> None:
    proposal = source_wins.propose(gather(DUPLICATE))
    assert proposal.plan is not None
    assert proposal.plan.steps == ()
    assert proposal.reason == (
        "No row is in the way now. The rehearsal shows whether the replica applies the transaction; the channel is started only then."
    )


def test_guards_and_risks_are_said() -> None:
    gathered = gather(DUPLICATE, (1, 9, 9), (5, 2, 0))
    named = channel(name="east")
    plan = plan_of(replace(gathered, channel=named, status=status(named, super_read_only=False)))
    assert plan.guards[0].in_words == f"the server is {REPLICA}"
    assert plan.guards[1].in_words == f"channel 'east' is still stopped with error 1062 on {GTID}"
    assert any("2 rows, locked" in guard.in_words for guard in plan.guards)
    assert plan.risks[0] == "Deletes 2 rows on the replica (d.t). Full copies are saved in the audit trail first."
    assert not any("super_read_only" in risk for risk in plan.risks)
    assert any("super_read_only" in risk for risk in plan_of(gathered).risks)


def test_group_replication_is_refused() -> None:
    reason = refusal(gather(DUPLICATE, channel=channel(group_replication=True)))
    assert reason == "The channel belongs to Group Replication, whose members replfix does not repair."


@pytest.mark.parametrize("errno", [1064, 3819, 1146, 13146])
def test_other_errors_are_refused(errno: int) -> None:
    assert refusal(gather(DUPLICATE, errno=errno)).startswith(
        f"The applier stopped with error {errno}, which no change"
    )


def test_an_unread_transaction_is_refused_with_the_reason() -> None:
    gathered = gather(DUPLICATE)
    unread = replace(gathered, transaction=None, reconciliation=None, unknowns=("It is purged.",))
    assert refusal(unread) == "The failing transaction could not be read: It is purged."
    assert refusal(replace(unread, unknowns=())).endswith("no reason is known.")


def test_a_table_that_is_not_there_is_refused() -> None:
    mismatches = {TableName("d", "t"): "The replica has no table d.t."}
    assert refusal(replace(gather(DUPLICATE), tables={}, mismatches=mismatches)) == "The replica has no table d.t."


def test_columns_that_are_not_the_same_are_refused() -> None:
    gathered = gather(DUPLICATE)
    assert gathered.transaction is not None
    other = replace(gathered.transaction, column_names={T.name: ("id", "a", "z")})
    assert refusal(replace(gathered, transaction=other)) == (
        "The columns of d.t are not the same on both servers (source: id, a, z; replica: id, a, b)."
    )
    upper = replace(gathered.transaction, column_names={T.name: ("ID", "A", "B")})
    assert source_wins.propose(replace(gathered, transaction=upper)).allowed


def test_a_table_that_cannot_roll_back_is_refused() -> None:
    isam = replace(T, engine="MyISAM", transactional=False)
    assert refusal(gather(DUPLICATE, of=isam)).startswith(
        "d.t is a MyISAM table: nothing done to it can be rolled back"
    )


def test_what_the_account_cannot_see_is_refused_only_when_something_is_to_be_repaired() -> None:
    reason = refusal(gather(DUPLICATE, (1, 9, 9), blind_spots=("SELECT", "TRIGGER")))
    assert reason.startswith("The account lacks SELECT and TRIGGER ON *.*")
    assert source_wins.propose(gather(DUPLICATE, blind_spots=("TRIGGER",))).allowed


def test_a_row_without_a_name_is_named_by_all_of_its_values() -> None:
    heap = table("d.h", [column("a", nullable=True), column("b", "varchar", charset="latin1")], [key("a", "a")])
    plan = source_wins.propose(gather([inserted(heap, 1, "x"), deleted(heap, None, "y")], (1, "é"), of=heap)).plan
    assert plan is not None
    same = "CAST(CONVERT(`b` USING utf8mb4) AS BINARY)"
    assert [step.sql for step in plan.steps] == [
        f"DELETE FROM `d`.`h` WHERE `a` <=> 1 AND `b` <=> 'é' AND {same} = CAST('é' AS BINARY) LIMIT 1",
        "INSERT INTO `d`.`h` (`a`, `b`) VALUES (NULL, 'y')",
    ]
    assert plan.steps[1].undo_sql == (
        f"DELETE FROM `d`.`h` WHERE `a` <=> NULL AND `b` <=> 'y' AND {same} = CAST('y' AS BINARY) LIMIT 1"
    )


def test_a_row_whose_name_the_event_does_not_hold_is_refused() -> None:
    heap = table("d.h", [column("a", nullable=True), column("b")], [])
    assert refusal(gather([deleted(heap, 1, NOT_LOGGED)], of=heap)).startswith(
        "The events do not have what names a row"
    )


def test_a_missing_row_that_was_not_logged_in_full_is_refused() -> None:
    reason = refusal(gather([deleted(T, 1, 2, NOT_LOGGED)]))
    assert reason.startswith("The missing row of d.t cannot be put back: the event did not log all of its columns")


def test_a_row_in_the_way_that_is_what_the_transaction_expects_is_refused() -> None:
    changes = (inserted(T, 5, 2, 0), updated(T, (1, 2, 0), (1, 3, 0)))
    reason = refusal(gather(changes, (1, 2, 0)))
    assert reason.startswith("The row of d.t that is in the way on a is one that the transaction itself changes")


def test_a_row_that_differs_in_generated_columns_only_is_refused() -> None:
    virtual = table("d.v", [column("id"), column("g", generated=True)], [key("PRIMARY", "id")])
    reason = refusal(gather([deleted(virtual, 1, 2)], (1, 3), of=virtual))
    assert reason.startswith("A row of d.v differs in generated columns only (g)")


@pytest.mark.parametrize(
    ("event", "changes", "held"),
    [("INSERT", MISSING, ()), ("DELETE", DUPLICATE, ((1, 9, 9),)), ("UPDATE", DIFFERENT, ((1, 2, 8),))],
)
def test_triggers_are_refused_when_a_statement_would_fire_them(
    event: str, changes: tuple[RowChange, ...], held: tuple[RowImage, ...]
) -> None:
    for fires in ("INSERT", "DELETE", "UPDATE"):
        guarded = replace(T, triggers=(Trigger("audit", fires, "AFTER"),))
        gathered = gather(changes, *held, of=guarded)
        assert source_wins.propose(gathered).allowed  # as row events, which fire none
        proposal = source_wins.propose(replace(gathered, not_as_events=("a type",)))
        assert proposal.allowed == (fires != event)
        if fires == event:
            assert proposal.reason == (
                f"d.t has a trigger for {event} (audit), which a repair by statement would fire."
            )


BOSS = ForeignKey("boss", T.name, ("b",), T.name, ("id",), "CASCADE", "CASCADE")
FAMILY = replace(T, foreign_keys=(BOSS,), referenced_by=(BOSS,))


def test_children_are_in_front_of_their_parents_when_they_go_and_behind_them_when_they_come() -> None:
    """In a table that references itself, too; rows in a circle have no order, and a row that is its own parent is one."""
    held: list[RowImage] = [(1, 11, 2), (2, 12, 3), (3, 13, 3), (7, 14, 8), (8, 15, 7)]
    gone = plan_of(gather([inserted(FAMILY, *row) for row in held], *held, of=FAMILY)).steps
    order = [step.current[0] for step in gone if step.current is not None]
    assert (order.index(1) < order.index(2) < order.index(3), len(order)) == (True, 5)
    come = plan_of(gather([deleted(FAMILY, *row) for row in held], of=FAMILY)).steps
    order = [step.target[0] for step in come if step.target is not None]
    assert (order.index(1) > order.index(2) > order.index(3), len(order)) == (True, 5)


def test_what_becomes_of_children_is_said() -> None:
    gathered = gather(DUPLICATE, (1, 9, 9), of=FAMILY)
    assert gathered.reconciliation is not None
    gone: RowImage = (1, 9, 9)
    found = replace(
        gathered.reconciliation,
        repairs=(
            *gathered.reconciliation.repairs,
            RowRepair(T.name, (21, 1, 0), (21, None, 0)),
            RowRepair(T.name, (22, 1, 0), None),
        ),
        cascade_effects=(Child(BOSS, (21, 1, 0), gone), Child(BOSS, (22, 1, 0), gone)),
        kept=tuple(Child(BOSS, (n, 1, 0), gone) for n in range(30, 37)),
    )
    plan = plan_of(replace(gathered, reconciliation=found))
    assert [risk for risk in plan.risks if "loses keys" in risk] == [
        "d.t loses keys that are referenced: 1 row of d.t (boss; 21) is changed.",
        "d.t loses keys that are referenced: 1 row of d.t (boss; 22) goes too.",
        "d.t loses keys that are referenced: 7 rows of d.t (boss; 30, 31, 32, 33, 34 and 2 more) stay; a row with that key is there "
        "when the transaction is through.",
    ]
    assert [kept.row[0] for kept in plan.kept] == list(range(30, 37))
    assert any("exactly those named here" in guard.in_words for guard in plan.guards)
