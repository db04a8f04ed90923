"""keep-both and replica-wins: what they write on the source, why they do not, and in which order it is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.child_rows import Child
from replfix.core.diagnosis.diagnosis import Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.source_feasibility import SourceFeasibility, questions
from replfix.core.plan.outcome import Result, SourceWriteResult
from replfix.core.plan.plan import SourceWrite, Step, to_document
from replfix.core.plan.recorded_plan import read_plan
from replfix.core.plan.trigger_reach import Fired, Reach
from replfix.core.rows.lookup import by_identity
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.table import ForeignKey, Table, TableName, Trigger
from replfix.core.strategies import keep_both, replica_wins
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import ConnectError, NotDone, NotVerified
from replfix.workflow.investigate.source.check_source import free_on_both
from replfix.workflow.recover.recovery import recover
from replfix.workflow.undo.undo_repair import UndoOutcome, UndoResult, undo
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, SOURCE, column, deleted, evidence, inserted, key, table, updated
from tests.unit.workflow.test_resolve_workflow import Scene

INCOMING = (inserted(ORDERS, 3, "A", None),)


def gathered(
    changes: Sequence[RowChange],
    held: Sequence[RowImage],
    on_source: Sequence[RowImage],
    *,
    of: Table = ORDERS,
    theirs: Table | None = None,
    **over: Any,
) -> Evidence:
    """A replica that holds ``held``, stopped by ``changes``, and a source that holds ``on_source`` now."""
    found = evidence(changes, Rows.of(of).holding(of, *held))
    assert found.reconciliation is not None
    rows = tuple((r.table, r.current) for r in found.reconciliation.repairs if r.current is not None)
    source = Rows.of(theirs or of).holding(theirs or of, *on_source)
    tables = {of.name: theirs or of}
    holders = {lookup: source.find(lookup) for lookup in questions(rows, tables)}
    return replace(found, on_source=SourceFeasibility(SOURCE, tables=tables, holders=holders, **over))


def steps(proposal: Proposal) -> tuple[Step, ...]:
    assert proposal.plan is not None, proposal.reason
    assert proposal.plan.on_source is not None
    return proposal.plan.on_source.steps


def images(proposal: Proposal) -> list[tuple[RowImage | None, RowImage | None]]:
    return [(step.current, step.target) for step in steps(proposal)]


TWO = gathered(INCOMING, [(3, "R", None)], [(3, "A", None)])


def test_a_new_value_is_left_to_the_source() -> None:
    (step,) = steps(keep_both.propose(TWO))
    assert (step.new_key, step.target) == ("id", (None, "R", None))
    assert step.sql == "INSERT INTO `shop`.`orders` (`id`, `number`, `total`) VALUES (NULL, 'R', NULL)"
    assert step.undo_sql == "DELETE FROM `shop`.`orders` WHERE `id` = LAST_INSERT_ID()"


def test_values_beyond_the_replica_s_are_given_one_after_the_other() -> None:
    changes = [inserted(ORDERS, 3, "A", None), inserted(ORDERS, 4, "B", None)]
    found = gathered(
        changes,
        [(3, "R", None), (4, "S", None)],
        [(3, "A", None), (4, "B", None)],
        beyond={ORDERS.name: 43},
        increment=10,
    )
    assert images(keep_both.propose(found)) == [(None, (43, "R", None)), (None, (53, "S", None))]


@pytest.mark.parametrize(
    ("next_there", "highest_there", "highest_here", "steps", "value"),
    [
        (6, 5, 5, (1, 1), None),
        (6, 5, 6, (1, 1), 7),
        (6, 5, None, (1, 1), None),
        (13, 3, 40, (10, 3), 43),
        (13, 3, 43, (10, 3), 53),
        (None, 9, 5, (2, 1), 11),
    ],
)
def test_where_the_source_s_next_value_is_taken_on_the_replica(
    next_there: int | None, highest_there: int, highest_here: int | None, steps: tuple[int, int], value: int | None
) -> None:
    there, here = Counter(ORDERS.columns[0], next_there, highest_there), Counter(ORDERS.columns[0], None, highest_here)
    assert free_on_both(there, here, AutoIncrement(*steps)) == value


def test_the_replica_s_row_wins_as_a_whole() -> None:
    changes = [
        updated(ORDERS, (3, "A", None), (3, "A", 1)),
        inserted(ORDERS, 4, "X", None),
        deleted(ORDERS, 5, "C", None),
    ]
    held = [(3, "mine", None), (70, "X", 7), (5, "kept", None)]
    found = gathered(changes, held, [(3, "A", 2), (4, "X", None)])
    assert images(replica_wins.propose(found)) == [
        ((4, "X", None), None),
        ((3, "A", 2), (3, "mine", None)),
        (None, (70, "X", 7)),
        (None, (5, "kept", None)),
    ]
    risks = " ".join(replica_wins.propose(found).risks)
    assert "the row 4 of shop.orders is deleted" in risks
    assert "the row 3 of shop.orders loses its values of number, total" in risks


def test_what_is_deleted_on_the_source_takes_no_other_row_here() -> None:
    """The source has a row 5 with the key of the replica's row 3, and the replica has a row 5 of its own."""
    held, other, lookup = (5, "mine", None), (5, "own", 9), by_identity(ORDERS, (5, "mine", None))
    assert lookup is not None
    found = gathered(INCOMING, [(3, "mine", None), other], [(3, "A", None), held])
    on_source = found.on_source
    assert on_source is not None

    def with_row(here: RowImage) -> Proposal:
        return replica_wins.propose(replace(found, on_source=replace(on_source, here={lookup: (here,)})))

    assert images(with_row(held)) == [(held, None), ((3, "A", None), (3, "mine", None))]
    refused = with_row(other)
    assert refused.plan is None
    assert "the DELETE would take it when it comes here" in refused.reason


CHILD = TableName("shop", "items")
FK = ForeignKey("items_order", CHILD, ("order_id",), ORDERS.name, ("id",), "CASCADE", "CASCADE")
NO_COUNTER = table("shop.orders", [replace(c, auto_increment=False) for c in ORDERS.columns], ORDERS.unique_keys)
STANDS = [(3, "A", None)]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (replace(TWO, unreachable=ConnectError("Down.")), "cannot be reached"),
        (
            replace(TWO, on_source=SourceFeasibility(SOURCE, ("It is read-only.", "It is full."))),
            "It is read-only. It is full.",
        ),
        (gathered(INCOMING, [(3, "A", None)], STANDS), "came from the source"),
        (gathered(INCOMING, [(3, "R", None)], [(3, "R", None)]), "are there just like that"),
        (gathered([deleted(ORDERS, 3, "A", None)], [], []), "No row of the replica is displaced"),
    ],
)
def test_why_nothing_is_written_on_the_source(found: Evidence, why: str) -> None:
    for strategy in (keep_both, replica_wins):
        proposal = strategy.propose(found)
        assert (proposal.plan, why in proposal.reason) == (None, True), proposal.reason


AUDIT = Trigger("audit", "INSERT", "AFTER", "INSERT INTO log\n  VALUES (NEW.id)")
NESTED = Fired(TableName("shop", "log"), Trigger("late", "INSERT", "BEFORE", "SET NEW.at = NOW()"))


def test_triggers_on_the_source_are_part_of_the_plan() -> None:
    """Those of the kinds of statements that it has, and what these fire in turn."""
    fired = Fired(ORDERS.name, AUDIT)
    reach = {(ORDERS.name, "INSERT"): Reach((fired, NESTED)), (ORDERS.name, "UPDATE"): Reach((), ("It calls home.",))}
    found = gathered(INCOMING, [(3, "R", None)], STANDS, reach=reach)
    plan = keep_both.propose(found).plan
    assert plan is not None
    assert plan.on_source is not None
    assert plan.on_source.fires == (fired, NESTED)
    line = "On the source: -- this can fire the trigger shop.audit (AFTER INSERT on shop.orders): INSERT INTO log VALUES (NEW.id)"
    assert line in plan.ending
    assert "shop.audit (AFTER INSERT on shop.orders), shop.late (BEFORE INSERT on shop.log)" in " ".join(plan.risks)
    other = Fired(ORDERS.name, replace(AUDIT, body="DELETE FROM log"))
    reach[ORDERS.name, "INSERT"] = Reach((other, NESTED))
    altered = keep_both.propose(gathered(INCOMING, [(3, "R", None)], STANDS, reach=reach)).plan
    assert altered is not None
    assert altered.digest != plan.digest
    hostile = Fired(ORDERS.name, Trigger("a\nDROP TABLE t", "INSERT", "AFTER", "SET @a = 1;\r\nDROP TABLE u"))
    (said,) = SourceWrite(SOURCE, (), (hostile,)).sets_off
    assert said.startswith("On the source: -- this can fire the trigger shop.a DROP TABLE t (")
    assert len(said.splitlines()) == 1
    wins = replica_wins.propose(found)
    assert (wins.plan, "It calls home." in wins.reason) == (None, True)


def test_why_a_row_cannot_get_a_new_key() -> None:
    taken = keep_both.propose(gathered(INCOMING, [(7, "A", 1)], STANDS))
    assert "beside the row 3: both have the same number (unique key number)" in taken.reason
    found = gathered(INCOMING, [(3, "R", None)], STANDS, of=NO_COUNTER)
    assert "the same id (unique key PRIMARY)" in keep_both.propose(found).reason


ITEMS = table(
    "shop.items",
    [column("id", auto_increment=True), column("order_id", nullable=True)],
    [key("PRIMARY", "id")],
    foreign_keys=(FK,),
)
NODES = table(
    "shop.orders",
    [column("id", auto_increment=True), column("up", nullable=True)],
    [key("PRIMARY", "id")],
)
UP = ForeignKey("up", NODES.name, ("up",), NODES.name, ("id",), "RESTRICT", "RESTRICT")


def family(*rows: RowImage, on_source: Sequence[RowImage] = ()) -> Evidence:
    """TWO, whose displaced row has those children that only the replica has; the replica's foreign key would keep them."""
    parent = replace(ORDERS, referenced_by=(FK,))
    found = gathered(INCOMING, [(3, "R", None)], STANDS, of=parent)
    assert found.on_source is not None
    assert found.reconciliation is not None
    children = tuple(Child(FK, row, (3, "R", None)) for row in rows)
    source = Rows.of(ITEMS).holding(ITEMS, *on_source)
    asked = questions([(ITEMS.name, row) for row in rows], {ITEMS.name: ITEMS})
    side = replace(
        found.on_source,
        children=children,
        tables={ORDERS.name: ORDERS, ITEMS.name: ITEMS},
        holders={**found.on_source.holders, **{lookup: source.find(lookup) for lookup in asked}},
    )
    return replace(
        found,
        on_source=side,
        tables={**found.tables, ITEMS.name: ITEMS},
        reconciliation=replace(found.reconciliation, kept=children),
    )


def test_children_follow_to_the_new_key_and_leave_the_replica_until_then() -> None:
    found = family((8, 3), (9, 3), on_source=[(9, None)])
    proposal = keep_both.propose(found)
    first, second, third = steps(proposal)
    assert (first.new_key, first.target) == ("id", (None, "R", None))
    assert (second.sql, second.takes) == (
        "INSERT INTO `shop`.`items` (`id`, `order_id`) VALUES (8, @key_1)",
        (("order_id", 1),),
    )
    assert third.sql == "INSERT INTO `shop`.`items` (`id`, `order_id`) VALUES (NULL, @key_1)"
    assert proposal.plan is not None
    assert [(s.table.name, s.current) for s in proposal.plan.steps] == [
        ("items", (8, 3)), ("items", (9, 3)), ("orders", (3, "R", None)),
    ]  # fmt: skip
    assert proposal.plan.kept == ()
    assert "On the source: SET @key_1 = LAST_INSERT_ID()" in proposal.plan.ending
    assert "2 rows of shop.items that reference displaced rows follow them to their new keys." in proposal.plan.risks


def test_children_come_to_the_source_with_a_parent_that_wins() -> None:
    assert images(replica_wins.propose(family((8, 3)))) == [((3, "A", None), (3, "R", None)), (None, (8, 3))]


def test_rows_that_reference_themselves_cannot_be_moved() -> None:
    nodes = replace(NODES, foreign_keys=(UP,), referenced_by=(UP,))
    found = gathered([inserted(nodes, 3, None)], [(3, 3)], [(3, None)], of=nodes)
    assert "references itself" in keep_both.propose(found).reason


def test_a_cascade_on_the_source_is_not_set_off() -> None:
    parent = replace(ORDERS, referenced_by=(FK,))
    gone = replica_wins.propose(gathered(INCOMING, [(7, "A", 1)], STANDS, theirs=parent))
    assert "ON DELETE CASCADE (items_order)" in gone.reason
    assert images(replica_wins.propose(gathered(INCOMING, [(3, "R", None)], STANDS, theirs=parent)))
    assert images(keep_both.propose(gathered(INCOMING, [(3, "R", None)], STANDS, theirs=parent)))


def test_a_key_over_two_columns_is_free_with_one_of_them() -> None:
    of = table(
        "shop.orders",
        [column("region"), column("id", auto_increment=True), column("v", "varchar", charset="utf8mb4")],
        [key("PRIMARY", "region", "id"), key("id", "id", "v")],
    )
    found = gathered([inserted(of, 1, 3, "A")], [(1, 3, "R")], [(1, 3, "A")], of=of)
    assert images(keep_both.propose(found)) == [(None, (1, None, "R"))]


def test_the_part_on_the_source_is_part_of_the_plan() -> None:
    plan = keep_both.propose(TWO).plan
    assert plan is not None
    assert plan.by_name_only
    assert plan.ending[1] == f"On the source: {steps(keep_both.propose(TWO))[0].sql}"
    document: Any = to_document(plan)
    assert document["on_source"]["server_uuid"] == SOURCE
    assert document["on_source"]["steps"][0]["new_key"] == "id"
    assert read_plan(document, {ORDERS.name: ORDERS}).steps == plan.steps


# --- the order of it, and what goes wrong in between ---


@pytest.fixture
def scene() -> Scene:
    return Scene((inserted(ORDERS, 1, "A", None),), held=((1, "local", None),))


def test_the_source_rehearses_first_and_is_written_once_the_replica_is_past(scene: Scene) -> None:
    outcome = scene.resolve(strategy="keep-both")
    assert outcome.result is Result.RESOLVED
    scene.assert_resolved()
    assert (100, "local", None) in scene.source.rows.held[ORDERS.name]
    telling = ("rehearse", "commit", "write", "trail", "replica.start")
    assert [s for s in scene.world.steps if s.startswith(telling)] == [
        "rehearse on source",
        "trail settings",
        "rehearse",
        "trail intent",
        "commit",
        "trail settings-restored",
        "replica.start until",
        "write on source",
        "trail on-source",
        "commit on source",
        "replica.start",
        "trail outcome",
    ]
    assert outcome.rounds[0].on_source is SourceWriteResult.SEEN
    assert [step.target for step in outcome.rounds[0].written] == [(100, "local", None)]
    assert "a new row of shop.orders with id 100" in outcome.message


def test_nothing_is_written_on_the_source_by_a_dry_run(scene: Scene) -> None:
    before = scene.source.rows.contents
    assert scene.resolve(strategy="replica-wins", dry_run=True).result is Result.REHEARSED
    scene.assert_untouched()
    assert scene.source.rows.contents == before
    assert "rehearse on source" in scene.world.steps


@pytest.mark.parametrize(
    ("point", "error", "told"),
    [
        ("write on source", NotDone("It is read-only now."), SourceWriteResult.NOT_WRITTEN),
        ("trail on-source", NotDone("The disk is full."), SourceWriteResult.NOT_WRITTEN),
        ("commit on source", NotVerified("The connection was lost."), SourceWriteResult.UNKNOWN),
    ],
)
def test_when_the_source_part_fails_the_replica_runs_and_it_is_said(
    scene: Scene, point: str, error: Exception, told: SourceWriteResult
) -> None:
    scene.world.before[point] = error
    outcome = scene.resolve(strategy="keep-both")
    assert outcome.result is Result.FAILED
    scene.assert_resolved()
    assert outcome.rounds[0].on_source is told
    assert str(error) in outcome.message
    assert f"audit show {outcome.rounds[0].audit_id}" in outcome.hint
    assert scene.trail.written[-1].content["on_source"] == told.value
    unknown = told is SourceWriteResult.UNKNOWN
    assert scene.trail.results() == ["unknown" if unknown else "applied, not verified"]
    # What is not known is left open, and looked for in the rows of the source.
    found = list(recover(scene.operation))
    assert ["nothing was written: its rows are as before" in each.message for each in found] == [True] * unknown


def test_a_row_of_the_replica_in_the_way_of_the_new_key_stops_it(scene: Scene) -> None:
    scene.world.after["replica.start until"] = lambda: scene.replica.rows.insert(ORDERS.name, (100, "mine", None))
    outcome = scene.resolve(strategy="keep-both")
    assert outcome.result is Result.FAILED
    assert "The replica has a row 100 of shop.orders of its own" in outcome.message
    assert "commit on source" not in scene.world.steps


def test_what_came_to_the_source_late_is_looked_for_at_the_end() -> None:
    """The channel stops on the next transaction before the first one's row is on the replica."""
    scene = Scene(
        (inserted(ORDERS, 1, "A", None),),
        (inserted(ORDERS, 2, "B", None),),
        held=((1, "local", None), (2, "other", None)),
    )
    outcome = scene.resolve(strategy="replica-wins")
    assert outcome.result is Result.RESOLVED
    assert [r.on_source for r in outcome.rounds] == [SourceWriteResult.SEEN, SourceWriteResult.SEEN]
    assert scene.replica.rows.contents == scene.source.rows.contents
    assert set(scene.source.rows.held[ORDERS.name]) == {(1, "local", None), (2, "other", None)}


# --- and back ---


@pytest.fixture
def kept_both(scene: Scene) -> Scene:
    """Resolved, and the place of the displaced row is free by now."""
    assert scene.resolve(strategy="keep-both").result is Result.RESOLVED
    for rows in (scene.source.rows, scene.replica.rows):
        rows.delete(ORDERS.name, (1, "A", None))
    scene.world.steps.clear()
    return scene


def taken_back(scene: Scene, **more: Any) -> UndoOutcome:
    intent = next(r for r in scene.trail.written if r.kind == RecordKind.INTENT)
    return undo(scene.operation, intent.id, **{"dry_run": False, "confirm": lambda _: True, **more})


def test_an_undo_writes_the_source_first_and_the_replica_once_it_has_that(kept_both: Scene) -> None:
    assert taken_back(kept_both, dry_run=True).result is UndoResult.REHEARSED
    assert [s for s in kept_both.world.steps if s.startswith(("rehearse", "write", "trail", "apply"))] == [
        "rehearse on source"
    ]
    kept_both.world.steps.clear()
    undone = taken_back(kept_both)
    assert (undone.result, undone.on_source) == (UndoResult.UNDONE, SourceWriteResult.SEEN)
    assert kept_both.source.rows.held[ORDERS.name] == []
    assert kept_both.replica.rows.held[ORDERS.name] == [(1, "local", None)]
    telling = ("rehearse", "commit", "write on", "trail", "apply", "put back")
    assert [s for s in kept_both.world.steps if s.startswith(telling)] == [
        "rehearse on source",
        "trail settings",
        "apply",  # rolled back
        "trail intent",
        "write on source",
        "trail on-source",
        "commit on source",
        "apply",
        "commit",
        "put back",
        "trail settings-restored",
        "trail outcome",
    ]


@pytest.mark.parametrize(
    ("point", "error", "raised", "told"),
    [
        ("write on source", NotDone("It is read-only now."), NotDone, "not undone"),
        ("trail on-source", NotDone("The disk is full."), NotDone, "not undone"),
        ("commit on source", NotVerified("The connection was lost."), None, "unknown"),
        ("commit", NotDone("The server says no."), None, "undone on the source"),
        ("commit", NotVerified("The connection was lost."), None, "unknown"),
    ],
)
def test_an_undo_that_ends_in_the_middle(
    kept_both: Scene, point: str, error: Exception, raised: type[Exception] | None, told: str
) -> None:
    kept_both.world.before[point] = error
    if raised is not None:
        with pytest.raises(raised, match=str(error)):
            taken_back(kept_both)
    else:
        failed = taken_back(kept_both)
        assert (failed.result, str(error) in failed.message) == (UndoResult.FAILED, True)
    assert kept_both.trail.results()[-1] == told
    kept_both.world.before.clear()
    assert taken_back(kept_both).result is UndoResult.UNDONE, "the same again goes on"
    assert kept_both.source.rows.held[ORDERS.name] == []
    assert kept_both.replica.rows.held[ORDERS.name] == [(1, "local", None)]
