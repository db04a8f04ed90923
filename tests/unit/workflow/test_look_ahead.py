"""Conflicts that wait after the failing transaction, planned together with it: how far that goes, and what is left for later."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from replfix.core.binlog.row_event import RowChange, Transaction
from replfix.core.plan.outcome import Outcome, Result
from replfix.core.plan.plan import Plan, to_document
from replfix.core.plan.recorded_plan import read_plan
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ReceiverState
from replfix.core.replication.transaction_id import TransactionId, TransactionRun
from replfix.core.rows.row_values import RowImage
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import AuditError, RehearsalFailed, Stale
from replfix.workflow.investigate.ahead import look_ahead
from replfix.workflow.investigate.ahead.look_ahead import LookedAhead
from replfix.workflow.recover.recovery import recover
from replfix.workflow.undo.undo_repair import UndoResult, undo
from tests.unit.making import ORDERS, REPLICA, SOURCE, deleted, inserted, updated
from tests.unit.workflow.test_resolve_workflow import ONE, TWO, Scene

THREE = (inserted(ORDERS, 3, "C", None),)
HELD: tuple[RowImage, ...] = ((1, "x", None), (2, "y", None), (3, "z", None))


def rounds(outcome: Outcome) -> list[tuple[str | None, int]]:
    """Of each round the transaction that it ends with, and how many it is about."""
    return [(r.plan.last.gtid, r.plan.transactions) for r in outcome.rounds]


def starts(scene: Scene) -> list[str]:
    return [step for step in scene.world.steps if step.startswith("replica.start")]


def test_all_that_wait_are_one_round() -> None:
    scene = Scene(ONE, TWO, (updated(ORDERS, (1, "A", None), (1, "B2", None)),), THREE, held=HELD)
    outcome = scene.resolve(max_rounds=1)
    assert outcome.result is Result.RESOLVED
    assert outcome.message == (
        "4 transactions repaired and verified; 3 rows deleted or changed (saved). The channel is running."
    )
    assert rounds(outcome) == [(f"{SOURCE}:4", 4)]
    assert len(scene.confirmed) == 1
    assert starts(scene) == ["replica.start until", "replica.start"]
    assert scene.trail.kinds().count(RecordKind.INTENT) == 1
    assert scene.trail.results() == ["applied and verified"]
    scene.assert_resolved()
    (intent,) = [r for r in scene.trail.written if r.kind == RecordKind.INTENT]
    plan = intent.content["plan"]
    assert isinstance(plan, dict)
    assert plan["run"] == {"transactions": 4, "last": {"gtid": f"{SOURCE}:4"}}
    assert [step["current"]["number"] for step in plan["steps"]] == ["x", "y", "z"]


MIXED: list[tuple[str, tuple[tuple[RowChange, ...], ...], tuple[RowImage, ...]]] = [
    (
        "the row that a later one changes is missing",
        (ONE, (inserted(ORDERS, 5, "E", None),), (updated(ORDERS, (5, "E", None), (5, "F", None)),), (deleted(ORDERS, 5, "F", None),)),
        ((1, "x", None), (7, "F", None)),
    ),
    (
        "a key that one frees and a later one takes",
        (TWO, (updated(ORDERS, (2, "B", None), (2, "C", None)),), (inserted(ORDERS, 4, "B", None),)),
        ((2, "y", None), (4, "q", None)),
    ),
    (
        "a number that two rows exchange",
        (ONE, TWO, (updated(ORDERS, (1, "A", None), (1, "T", None)),), (updated(ORDERS, (2, "B", None), (2, "A", None)),),
         (updated(ORDERS, (1, "T", None), (1, "B", None)),)),
        ((1, "B", None), (9, "A", None), (8, "T", None)),
    ),
    (
        "one row is in the way of several",
        (ONE, (deleted(ORDERS, 1, "A", None),), (inserted(ORDERS, 2, "A", None),)),
        ((2, "A", None),),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("transactions", "held"), [case[1:] for case in MIXED], ids=[case[0] for case in MIXED])
@pytest.mark.parametrize("ahead", [True, False])
def test_what_they_do_to_one_another(
    transactions: tuple[tuple[RowChange, ...], ...], held: tuple[RowImage, ...], ahead: bool
) -> None:
    scene = Scene(*transactions, held=held)
    outcome = scene.resolve(ahead=ahead, max_rounds=1 if ahead else 5)
    assert outcome.result is Result.RESOLVED
    scene.assert_resolved()


@pytest.mark.parametrize("seed", range(30))
def test_any_history_converges_with_and_without_looking_ahead(seed: int) -> None:
    """What the source has is on the replica, and every row of the replica that went or changed is in the trail."""
    drawn = random.Random(seed)
    rows: dict[int, RowImage] = {}
    history: list[tuple[RowChange, ...]] = []
    for number in range(drawn.randrange(3, 12)):
        changes: list[RowChange] = []
        for _ in range(drawn.choice((1, 1, 2))):
            free = [f"n{i}" for i in range(8) if all(row[1] != f"n{i}" for row in rows.values())]
            key = drawn.randrange(1, 9)
            if key not in rows and free:
                rows[key] = (key, drawn.choice(free), number)
                changes.append(inserted(ORDERS, *rows[key]))
            elif key in rows and drawn.random() < 0.4:
                changes.append(deleted(ORDERS, *rows.pop(key)))
            elif key in rows and free:
                before, rows[key] = rows[key], (key, drawn.choice(free), number)
                changes.append(updated(ORDERS, before, rows[key]))
        if changes:
            history.append(tuple(changes))
    names = drawn.sample(range(8), 4)
    held = tuple(
        (drawn.choice((key, key + 20)), f"n{name}", "local") for key, name in zip(range(1, 5), names, strict=True)
    )
    for ahead in (True, False):
        scene = Scene(*history, held=held)
        outcome = scene.resolve(ahead=ahead, max_rounds=50)
        assert outcome.result in (Result.RESOLVED, Result.NOTHING_TO_DO), outcome
        assert set(scene.source.rows.held[ORDERS.name]) <= set(scene.replica.rows.held[ORDERS.name])
        kept = {step.current for r in outcome.rounds for step in r.plan.displaced}
        assert set(held) - set(scene.replica.rows.held[ORDERS.name]) <= kept
        assert scene.replica.gtids == scene.source.gtids


def test_a_single_conflict_is_the_plan_that_it_was() -> None:
    plans = []
    for ahead in (True, False):
        scene = Scene(ONE, TWO, THREE, held=((1, "x", None),))
        outcome = scene.resolve(ahead=ahead)
        assert outcome.message.startswith("1 transaction repaired and verified; 1 row")
        plans.append(outcome.rounds[0].plan)
    assert plans[0] == plans[1]
    assert "run" not in to_document(plans[0])


def test_it_ends_with_the_last_that_would_stop_the_applier() -> None:
    scene = Scene(ONE, TWO, THREE, (inserted(ORDERS, 4, "D", None),), held=((1, "x", None), (3, "z", None)))
    assert rounds(scene.resolve()) == [(f"{SOURCE}:3", 3)]
    scene.assert_resolved()


def test_rows_that_the_applier_would_overwrite_end_nothing_and_are_kept() -> None:
    """The third transaction alone would stop it; the row of the second has other values, and the fourth's too."""
    rows = ((4, "D", 1), (5, "E", 1))
    scene = Scene(
        tuple(inserted(ORDERS, *row) for row in rows),
        ONE,
        (updated(ORDERS, rows[0], (4, "D", 2)),),
        TWO,
        (updated(ORDERS, rows[1], (5, "E", 2)),),
        held=HELD[:2],
    )
    for before, after in zip(rows, ((4, "D", 7), (5, "E", 7)), strict=True):
        scene.replica.rows.update(ORDERS.name, before, after)
    outcome = scene.resolve()
    assert rounds(outcome) == [(f"{SOURCE}:4", 3)]
    assert [step.current for step in outcome.rounds[0].plan.displaced] == [*HELD[:2], (4, "D", 7)]
    assert scene.replica.rows.contents == scene.source.rows.contents


@pytest.mark.parametrize(
    ("why", "change"),
    [
        ("an XA transaction", lambda t: replace(t, prepared=True)),
        ("the replica's own, come back", lambda t: replace(t, server_id=2)),
        ("other columns", lambda t: replace(t, column_names={ORDERS.name: ("id", "no", "total")})),
        ("another format", lambda t: replace(t, raw=replace(t.raw, format_description=b"other"))),
    ],
)
def test_it_ends_before_what_is_no_plain_transaction(why: str, change: Callable[[Transaction], Transaction]) -> None:
    scene = Scene(ONE, TWO, THREE, (inserted(ORDERS, 4, "D", None),), held=(*HELD, (4, "w", None)))
    third = scene.source.log[f"{SOURCE}:3"]
    scene.source.log[f"{SOURCE}:3"] = change(third)
    outcome = scene.resolve(max_rounds=1)
    assert rounds(outcome) == [(f"{SOURCE}:2", 2)], why
    assert outcome.result is Result.NEEDS_HUMAN
    assert f"The channel has stopped on the next one ({SOURCE}:3)" in outcome.message
    assert (3, "z", None) in scene.replica.rows.held[ORDERS.name], "nothing after it is touched"


def test_what_the_replica_has_executed_already_ends_it() -> None:
    scene = Scene(ONE, TWO, THREE, held=HELD)
    scene.replica.gtids = scene.replica.gtids | GtidSet.parse(f"{SOURCE}:2")
    scene.replica.relay = [t for t in scene.replica.relay if t.gtid != f"{SOURCE}:2"]
    assert rounds(scene.resolve(max_rounds=1)) == [(f"{SOURCE}:1", 1)]


@pytest.mark.parametrize("attribute", ["receiver", "has_ends"])
def test_it_needs_a_receiver_and_an_end(attribute: str) -> None:
    scene = Scene(ONE, TWO, held=HELD[:2])
    setattr(scene.replica, attribute, ReceiverState.STOPPED if attribute == "receiver" else False)
    assert rounds(scene.resolve(max_rounds=1)) == [(f"{SOURCE}:1", 1)]


@pytest.mark.parametrize("strategy", ["keep-both", "replica-wins", "skip"])
def test_the_other_strategies_take_one_at_a_time(strategy: str) -> None:
    scene = Scene(ONE, TWO, held=((1, "x", None), (2, "y", None)))
    assert all(r.plan.run is None for r in scene.resolve(strategy=strategy, max_rounds=1).rounds)
    assert not any(said.startswith("Looking ahead") for said in scene.said)


@pytest.mark.parametrize("error", [RehearsalFailed("no."), Stale("no."), AuditError("too long.")])
def test_where_several_are_rejected_the_failing_one_goes_alone(error: Exception) -> None:
    """And then fewer are taken together, and more again."""
    scene = Scene(ONE, TWO, THREE, (inserted(ORDERS, 4, "D", None),), held=(*HELD, (4, "w", None)))
    at = "room" if isinstance(error, AuditError) else "rehearse"

    def once() -> None:
        del scene.world.before[at]
        raise error

    scene.world.before[at] = once
    outcome = scene.resolve(max_rounds=5)
    assert outcome.result is Result.RESOLVED
    assert rounds(outcome) == [(f"{SOURCE}:1", 1), (f"{SOURCE}:3", 2), (f"{SOURCE}:4", 1)]
    assert any(f"Going on with {SOURCE}:1 alone" in said for said in scene.said)
    scene.assert_resolved()


def test_a_dry_run_rehearses_all_of_them_and_changes_nothing() -> None:
    scene = Scene(ONE, TWO, held=HELD[:2])
    outcome = scene.resolve(dry_run=True)
    assert outcome.result is Result.REHEARSED
    assert f"2 transactions, from {SOURCE}:1 to {SOURCE}:2" in outcome.message
    scene.assert_untouched()


def test_not_confirmed_is_nothing_changed() -> None:
    scene = Scene(ONE, TWO, held=HELD[:2])
    scene.yes = False
    assert scene.resolve().message == "Cancelled. Nothing was changed."
    assert [plan.transactions for plan in scene.confirmed] == [2]
    scene.assert_untouched()


@pytest.mark.parametrize(
    ("limit", "value", "expected"),
    [
        ("MOST_CONFLICTS", 2, [2, 1]),
        ("MOST_CHANGES", 2, [2, 1]),
        ("MOST_TRANSACTIONS", 2, [2, 1]),
        ("MOST_BYTES", 12, [1, 1, 1]),
    ],
)
def test_the_bounds_of_one_round(limit: str, value: int, expected: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_ahead, limit, value)
    scene = Scene(ONE, TWO, THREE, held=HELD)
    assert [r.plan.transactions for r in scene.resolve().rounds] == expected
    scene.assert_resolved()


def test_a_quiet_stretch_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_ahead, "FIRST_LOOK", 2)
    monkeypatch.setattr(look_ahead, "QUIET_CHANGES", 3)
    quiet = tuple((inserted(ORDERS, number, f"q{number}", None),) for number in range(10, 30))
    scene = Scene(ONE, *quiet, TWO, held=HELD[:2])
    assert rounds(scene.resolve()) == [(f"{SOURCE}:1", 1), (f"{SOURCE}:22", 1)]


@pytest.mark.parametrize("works", [1, 2, 5, 8, 9])
def test_as_many_as_can_be_planned_together(works: int) -> None:
    ids = tuple(TransactionId(f"{SOURCE}:{number}", "binlog.000001", number, number + 1) for number in range(1, 10))
    tried: list[int] = []
    scene = Scene(ONE, held=HELD[:1])
    plan = scene.plan()

    def together(run: TransactionRun) -> LookedAhead | None:
        assert run.last == ids[run.transactions - 1]
        tried.append(run.transactions)
        found = LookedAhead(None, replace(plan, run=run))  # type: ignore[arg-type]
        return found if run.transactions <= works else None

    found = look_ahead._longest(ids, together)
    assert (found.plan.transactions if found is not None else 1) == works
    assert 1 not in tried
    assert len(tried) <= 5


def test_a_killed_run_that_had_committed_is_found_out_and_gone_on_with() -> None:
    scene = Scene(ONE, TWO, held=HELD[:2])
    scene.world.before["replica.start until"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        scene.resolve()
    scene.world.before.clear()
    assert scene.trail.written.pop().kind == RecordKind.OUTCOME, "which a process that is killed does not write"
    (found,) = recover(scene.operation)
    assert scene.trail.results() == ["applied, not verified"]
    assert "'replfix resolve' goes on" in found.next
    assert scene.resolve().result is Result.RESOLVED
    scene.assert_resolved()


def test_a_killed_run_whose_channel_came_to_the_end_is_verified_and_started() -> None:
    scene = Scene(ONE, TWO, (inserted(ORDERS, 4, "D", None),), held=HELD[:2])
    scene.world.after["replica.start until"] = lambda: setattr(
        scene.world, "interrupt_at", (len(scene.world.steps), False)
    )
    with pytest.raises(KeyboardInterrupt):
        scene.resolve()
    scene.world.after.clear()
    scene.world.interrupt_at = None
    assert scene.trail.written.pop().kind == RecordKind.OUTCOME
    (found,) = recover(scene.operation)
    assert scene.trail.results() == ["applied and verified"]
    assert "started" in found.next
    scene.assert_resolved()


def test_a_run_that_is_applied_in_part_is_said_to_be_so() -> None:
    """Somebody writes into the way of the second one, right after the commit."""
    scene = Scene(ONE, TWO, held=HELD[:2])
    scene.world.after["commit"] = lambda: scene.replica.rows.insert(ORDERS.name, (2, "again", None))
    outcome = scene.resolve()
    assert outcome.result is Result.FAILED
    assert f"did not get past {SOURCE}:2" in outcome.message or f"stopped on {SOURCE}:2" in outcome.message
    scene.world.after.clear()
    assert scene.trail.written.pop().kind == RecordKind.OUTCOME
    list(recover(scene.operation))
    (result,) = scene.trail.results()
    assert result == "applied, not verified"
    last = scene.trail.written[-1].content["detail"]
    assert str(last).startswith(f"{SOURCE}:1 is applied, and {SOURCE}:2 is not")
    assert scene.resolve().result is Result.RESOLVED
    scene.assert_resolved()


def test_an_undo_takes_back_all_of_it_or_nothing() -> None:
    scene = Scene(ONE, TWO, (deleted(ORDERS, 1, "A", None),), (deleted(ORDERS, 2, "B", None),), held=HELD[:2])
    outcome = scene.resolve()
    assert rounds(outcome) == [(f"{SOURCE}:2", 2)]
    record = outcome.rounds[0].audit_id
    assert record is not None
    assert scene.replica.rows.held[ORDERS.name] == []
    scene.replica.rows.insert(ORDERS.name, (9, "y", None))
    refused = undo(scene.operation, record, dry_run=False, confirm=lambda _: True)
    assert refused.result is UndoResult.REFUSED
    assert scene.replica.rows.held[ORDERS.name] == [(9, "y", None)]
    scene.replica.rows.delete(ORDERS.name, (9, "y", None))
    done = undo(scene.operation, record, dry_run=False, confirm=lambda _: True)
    assert done.result is UndoResult.UNDONE
    assert set(scene.replica.rows.held[ORDERS.name]) == set(HELD[:2])


def test_a_plan_for_several_is_read_back() -> None:
    scene = Scene(ONE, TWO, held=HELD[:2])
    scene.resolve(dry_run=True)
    (round_,) = scene.resolve(dry_run=True).rounds
    plan: Plan = round_.plan
    read = read_plan(to_document(plan), {ORDERS.name: ORDERS})
    assert read.run == TransactionRun(TransactionId(f"{SOURCE}:2", "", 0, 0), 2)
    assert (read.digest, read.server_uuid) == (plan.digest, REPLICA)
