"""What became of a repair whose end nobody recorded, as the rows and what the replica has applied show."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.plan import Plan, Step
from replfix.core.rows.lookup import Answers, Lookup, by_identity
from replfix.core.rows.row_diff import same
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.trail.intent_result import IntentResult


class RepairState(enum.Enum):
    """How the rows of a plan are now. Its steps are one transaction: all of them were carried out, or none."""

    BEFORE = "as before the plan"
    AFTER = "as the plan leaves them"
    OTHERWISE = "neither as before the plan nor as it leaves them"


@dataclass(frozen=True, slots=True)
class Found:
    """What became of an intent, and in a sentence ``how`` that was determined."""

    result: IntentResult
    how: str


def questions(steps: Iterable[Step], tables: Mapping[TableName, Table]) -> tuple[Lookup, ...]:
    """Return the lookups of every row that the steps change or write, each once."""
    asked = (
        by_identity(tables[step.table], image)
        for step in steps
        for image in (step.current, step.target)
        if image is not None
    )
    return tuple(dict.fromkeys(lookup for lookup in asked if lookup is not None))


def standing(plan: Plan, tables: Mapping[TableName, Table], answers: Answers) -> RepairState:
    """Return how the rows of the plan's steps are now. BEFORE for a plan without steps."""

    def holds(step: Step, image: RowImage | None) -> bool:
        if image is None:
            return False
        table = tables[step.table]
        lookup = by_identity(table, image)
        rows = answers[lookup] if lookup is not None else ()
        if lookup is not None and lookup.key is None:
            return len(rows) > step.alike
        return any(same(table, image, row) for row in rows)

    def stands(step: Step, wanted: RowImage | None, unwanted: RowImage | None) -> bool:
        return (wanted is None or holds(step, wanted)) and not holds(step, unwanted)

    if all(stands(step, step.current, step.target) for step in plan.steps):
        return RepairState.BEFORE
    if all(stands(step, step.target, step.current) for step in plan.steps):
        return RepairState.AFTER
    return RepairState.OTHERWISE


def source_found(steps: Sequence[Step], tables: Mapping[TableName, Table], answers: Answers) -> SourceWriteResult:
    """Return whether the rows are as those steps leave them.

    Of an inserted row that was changed since it is unknown: its key may have been another's.
    """

    def rows(step: Step, image: RowImage) -> tuple[RowImage, ...]:
        lookup = by_identity(tables[step.table], image)
        return answers[lookup] if lookup is not None else ()

    def stands(step: Step, image: RowImage | None, other: RowImage | None) -> bool:
        if image is not None:
            return any(same(tables[step.table], image, row) for row in rows(step, image))
        return other is None or not rows(step, other)

    if all(stands(step, step.target, step.current) for step in steps):
        return SourceWriteResult.WRITTEN
    if all(stands(step, step.current, step.target) for step in steps):
        return SourceWriteResult.NOT_WRITTEN
    return SourceWriteResult.UNKNOWN


def repair_found(
    plan: Plan, rows: RepairState, *, applied: bool, wrong: tuple[str, ...] | None, begun: bool = False
) -> Found:
    """Return what became of a repair.

    ``applied``: the replica counts the transaction, or all of a run, as applied; ``begun``: of a run the first; ``wrong``: which of its rows are not as it leaves them,
    None when that could not be looked at.
    """
    transaction = plan.covers
    if begun and not applied:
        return _begun(plan, rows)
    if plan.way.leaves_out:
        if applied:
            return Found(IntentResult.LEFT_OUT, f"{transaction} counts as applied; its rows were not looked at.")
        return Found(IntentResult.NOT_LEFT_OUT, f"{transaction} is not passed over.")
    if applied:
        if wrong == ():
            return Found(IntentResult.VERIFIED, f"{transaction} is applied, and its rows are as it leaves them.")
        seen = "its rows could not be compared with it" if wrong is None else "; ".join(wrong[:3])
        if plan.steps and rows is RepairState.BEFORE:
            what = f"{transaction} counts as applied, and yet the repair's rows are {rows.value}: {seen}."
            return Found(IntentResult.UNEXPLAINED if wrong is None else IntentResult.NOT_APPLIED, what)
        return Found(IntentResult.APPLIED, f"{transaction} is applied; {seen}.")
    if not plan.steps:
        return Found(IntentResult.NOT_APPLIED, f"The repair changes no row, and {transaction} is not applied.")
    result = {
        RepairState.BEFORE: IntentResult.NOT_APPLIED,
        RepairState.AFTER: IntentResult.APPLIED,
        RepairState.OTHERWISE: IntentResult.UNEXPLAINED,
    }[rows]
    return Found(result, f"The rows of the repair are {rows.value}; {transaction} is not applied.")


def _begun(plan: Plan, rows: RepairState) -> Found:
    """Return what became of the repair for a run of transactions of which the replica has applied the first ones only."""
    how = f"{plan.transaction} is applied, and {plan.last} is not: the plan covers {plan.covers}."
    if rows is RepairState.BEFORE:
        return Found(IntentResult.UNEXPLAINED, f"{how} The rows of the repair are {rows.value}.")
    return Found(IntentResult.APPLIED, how)


def gap_found(plan: Plan, waiting: str) -> Found:
    """Return what became of what precedes the failing transaction; ``waiting``: what of it is not applied."""
    if waiting:
        return Found(IntentResult.NOT_CAUGHT_UP, f"{waiting} come before {plan.transaction} and are not applied yet.")
    return Found(IntentResult.CAUGHT_UP, f"What comes before {plan.transaction} is applied.")


def verified_before(plan: Plan) -> Found:
    """Return what became of a repair whose part on the source was about to be written.

    That comes only once the replica's rows have been read and are right.
    """
    return Found(IntentResult.VERIFIED, f"{plan.transaction} is applied: the run had read its rows.")


def undo_found(plan: Plan, rows: RepairState, on_source: SourceWriteResult | None) -> Found:
    """Return what became of an undo.

    ``on_source``: what became of its part there, which comes first; None without one.
    """
    result = {
        RepairState.BEFORE: IntentResult.NOT_UNDONE,
        RepairState.AFTER: IntentResult.UNDONE,
        RepairState.OTHERWISE: IntentResult.UNEXPLAINED,
    }[rows]
    how = f"The rows of the undo are {rows.value}." if plan.steps else ""
    match on_source:
        case SourceWriteResult.UNKNOWN:
            return Found(IntentResult.UNEXPLAINED, how)
        case SourceWriteResult.WRITTEN if not plan.steps:
            return Found(IntentResult.UNDONE, how)
        case SourceWriteResult.WRITTEN if rows is RepairState.BEFORE:
            return Found(IntentResult.UNDONE_ON_SOURCE, how)
        case _:
            return Found(result, how)
