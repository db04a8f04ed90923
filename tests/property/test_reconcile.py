"""Reconciliation against an independent judge: tables in memory that enforce their keys, and the transaction run on them.

A source with random rows makes a random valid transaction; a replica with other random rows receives it. Values come
from a small range, so that rows collide in every way.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from hypothesis import event, given
from hypothesis import strategies as st

from replfix.core.binlog.row_event import ChangeKind, RowChange
from replfix.core.conflicts.reconcile import reconcile
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies import source_wins
from tests.examples import times
from tests.unit.fakes import RowError, Rows
from tests.unit.making import answered, column, evidence, key, table

TABLES = (
    table(
        "d.one",
        [column("id"), column("a", nullable=True), column("b"), column("c", nullable=True), column("d")],
        [key("PRIMARY", "id"), key("a", "a"), key("b c", "b", "c")],
    ),
    table(
        "d.pair",
        [column("x"), column("q", nullable=True), column("y"), column("p", nullable=True)],
        [key("PRIMARY", "y", "x"), key("q", "q")],
    ),
    table("d.keyless", [column("v", nullable=True), column("u")], [key("v", "v"), key("u", "u")]),
)
VALUES = st.integers(0, 4)


def _row(of: Table) -> st.SearchStrategy[RowImage]:
    return st.tuples(*(st.none() | VALUES if c.nullable else VALUES for c in of.columns))


@st.composite
def writes(draw: st.DrawFn, at_most: int) -> list[RowChange]:
    """What clients try; ``before`` of an update or delete is a row in the making: the server's own row is put there."""
    found: list[RowChange] = []
    for _ in range(draw(st.integers(0, at_most))):
        of = draw(st.sampled_from(TABLES))
        kind = draw(st.sampled_from(ChangeKind))
        before = draw(_row(of)) if kind is not ChangeKind.INSERT else None
        after = draw(_row(of)) if kind is not ChangeKind.DELETE else None
        if before is not None and after is not None:  # most updates change some columns only
            kept = draw(st.tuples(*(st.booleans() for _ in after)))
            after = tuple(NOT_LOGGED if k else a for k, a in zip(kept, after, strict=True))
        found.append(RowChange(of.name, kind, before, after, 0))
    return found


def run(rows: Rows, tried: list[RowChange]) -> tuple[RowChange, ...]:
    """Those of the writes that the server accepts, with full images."""
    done: list[RowChange] = []
    for change in tried:
        try:
            before = rows.by_identity(change.table, change.before) if change.before is not None else None
            after = change.after
            if before is not None and after is not None:
                after = tuple(b if a is NOT_LOGGED else a for b, a in zip(before, after, strict=True))
                if after == before:
                    continue
            full = replace(change, before=before, after=after)
            rows.apply(full)
        except RowError:
            continue
        done.append(full)
    return tuple(done)


@dataclass
class Case:
    changes: tuple[RowChange, ...]
    source: Rows  # after the transaction
    replica: Rows  # before it


@st.composite
def cases(draw: st.DrawFn) -> Case:
    source = Rows.of(*TABLES)
    for _ in range(draw(st.integers(0, 8))):
        of = draw(st.sampled_from(TABLES))
        run(source, [RowChange(of.name, ChangeKind.INSERT, None, draw(_row(of)), 0)])
    replica = source.copy()
    run(replica, draw(writes(5)))
    changes = run(source, draw(writes(7)))
    return Case(changes, source, replica)


def _definitions(changes: tuple[RowChange, ...]) -> dict[TableName, Table]:
    touched = {c.table for c in changes}
    return {t.name: t for t in TABLES if t.name in touched}


def _as_expected(rows: Rows, change: RowChange) -> bool:
    """Whether the row that an update or delete finds is its before image, as far as that was logged."""
    if change.before is None:
        return True
    row = rows.by_identity(change.table, change.before)
    return all(b is NOT_LOGGED or a == b for a, b in zip(row, change.before, strict=True))


def goes_through(rows: Rows, changes: tuple[RowChange, ...]) -> bool:
    """Whether the changes apply without an error, each to exactly the row that it expects."""
    trial = rows.copy()
    try:
        for change in changes:
            if not _as_expected(trial, change):
                return False
            trial.apply(change)
    except RowError:
        return False
    return True


def _images(case: Case, of: Callable[[RowChange], tuple[RowImage | None, ...]]) -> set[tuple[TableName, RowImage]]:
    return {(c.table, image) for c in case.changes for image in of(c) if image is not None}


@times(5)
@given(cases())
def test_a_conflict_is_reported_when_and_only_when_the_transaction_meets_another_state(case: Case) -> None:
    tables = _definitions(case.changes)
    found = reconcile(case.changes, tables, answered(case.changes, tables, case.replica))
    event(f"conflicts: {min(len(found.conflicts), 3)}")
    assert (not found.conflicts) == goes_through(case.replica, case.changes)
    assert bool(found.conflicts) == bool(found.repairs)
    assert not found.unidentified
    for conflict in found.conflicts:
        if conflict.replica_row is not None:
            assert conflict.replica_row in case.replica.held[conflict.table]


@times(5)
@given(cases())
def test_after_the_repairs_the_transaction_goes_through_and_leaves_the_sources_rows(case: Case) -> None:
    if not case.changes:
        return
    gathered = evidence(case.changes, case.replica)
    assert gathered.reconciliation is not None
    plan = source_wins.propose(gathered).plan
    assert plan is not None

    repaired = case.replica.copy()
    repaired.carry_out(plan)  # raises when a step meets a row that it should not
    assert goes_through(repaired, case.changes)

    gone = {(n, r) for n, rows in case.replica.contents.items() for r in rows - repaired.contents[n]}
    assert gone == {(s.table, s.current) for s in plan.displaced}, "exactly the rows that are kept in the trail"
    assert gone <= {(c.table, c.replica_row) for c in gathered.reconciliation.conflicts}, "no row goes unannounced"
    come = {(n, r) for n, rows in repaired.contents.items() for r in rows - case.replica.contents[n]}
    assert come <= _images(case, lambda c: (c.before,)), "nothing is invented"

    for change in case.changes:
        repaired.apply(change)
    for name, image in _images(case, lambda c: (c.before, c.after)):
        assert (image in repaired.held[name]) == (image in case.source.held[name])


def minimal(change: RowChange) -> RowChange:
    """As binlog_row_image=MINIMAL logs it: the row's name before, the columns that changed after."""
    if change.before is None:
        return change
    of = next(t for t in TABLES if t.name == change.table)
    assert of.identity is not None
    named = of.ordinals(of.identity)
    before = tuple(v if n in named else NOT_LOGGED for n, v in enumerate(change.before))
    after = change.after
    if after is not None:
        after = tuple(NOT_LOGGED if a == b else a for b, a in zip(change.before, after, strict=True))
    return replace(change, before=before, after=after)


@times(5)
@given(cases())
def test_events_that_log_only_what_changed(case: Case) -> None:
    changes = tuple(map(minimal, case.changes))
    if not changes:
        return
    gathered = evidence(changes, case.replica)
    assert gathered.reconciliation is not None
    if goes_through(case.replica, changes):
        # The other way round does not hold: what was not logged can differ, and only the rehearsal meets it.
        assert not gathered.reconciliation.conflicts
    proposal = source_wins.propose(gathered)
    event(proposal.reason[:60])
    if proposal.plan is None:
        assert gathered.reconciliation.conflicts
        return
    assert bool(proposal.plan.steps) == bool(gathered.reconciliation.conflicts)
    case.replica.copy().carry_out(proposal.plan)
    for step in proposal.plan.steps:
        assert step.sql
        assert " SET  WHERE" not in step.sql
