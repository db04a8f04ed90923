"""Whether a repair can be taken back, as known before it is carried out: mostly the transaction itself prevents it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from replfix.core.conflicts.reconcile import ConflictKind, final_rows
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import Step, Undoable
from replfix.core.rows.lookup import Lookup, by_identity
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, laid_over
from replfix.core.schema.table import Table
from replfix.core.words import counted, shortened

Outlook = tuple[Undoable, str]
_Final = Mapping[Lookup, RowImage | None]


def outlook(evidence: Evidence, steps: tuple[Step, ...]) -> Outlook:
    """Return whether the steps on the replica can be taken back once the transaction is applied after them, and why."""
    if not steps:
        return Undoable.NOTHING, "No row of the replica is changed before the transaction: there is nothing to undo."
    assert evidence.transaction is not None
    final = {row.lookup: row.image for row in final_rows(evidence.transaction.changes, evidence.tables)}
    reasons = tuple(dict.fromkeys(_reasons(evidence, steps, final)))
    if not reasons:
        rows = counted(len(steps), "row")
        return Undoable.YES, f"'replfix undo' takes back {rows}, as long as nobody changes or references them."
    kept = any(step.current is not None for step in steps)
    return Undoable.NO, (
        f"Cannot be undone once the transaction is applied. {' '.join(shortened(reasons, 'reason'))}"
        + (
            " The full copies stay in the audit trail; 'replfix undo' then prints what can be done with them."
            if kept
            else ""
        )
    )


def with_source(repair: Outlook, rows: int) -> Outlook:
    """Return the same for a plan that writes that many rows on the source as well."""
    there = f"'replfix undo' takes back {counted(rows, 'row')} on the source"
    if repair[0] is Undoable.NO:
        return Undoable.IN_PART, f"{there}; the replica's own rows do not come back. {repair[1]}"
    return Undoable.YES, f"{there}, and then the replica's rows."


def _reasons(evidence: Evidence, steps: tuple[Step, ...], final: _Final) -> Iterator[str]:
    for step in steps:
        table = evidence.tables[step.table]
        if step.target is not None and (reason := _left(table, step.target, final)):
            yield reason
        elif step.target is not None and step.current is None:
            yield from _referenced(evidence, table, step.target, final)
        if step.current is not None:
            yield from _comes_back(evidence, table, step.current, final)


def _left(table: Table, target: RowImage, final: _Final) -> str:
    """Return why the row is not as the step leaves it when the transaction is through."""
    lookup = by_identity(table, target)
    if lookup is None or lookup not in final:
        return ""
    image = final[lookup]
    if image is not None and lookup.key is not None and laid_over(target, image) == target:
        return ""
    return f"The transaction itself changes or deletes the row {lookup} of {table.name}."


def _comes_back(evidence: Evidence, table: Table, current: RowImage, final: _Final) -> Iterator[str]:
    """Yield which rows of the transaction, once it is through, are in the way of one that goes now."""
    assert evidence.reconciliation is not None
    for conflict in evidence.reconciliation.conflicts:
        if (conflict.table, conflict.replica_row) != (table.name, current):
            continue
        if conflict.kind is ConflictKind.EXTRA:
            yield f"A row of {table.name} would come back without the row that it references by {conflict.foreign_key}."
        if conflict.kind is ConflictKind.DUPLICATE and conflict.incoming is not None:
            lookup = by_identity(table, conflict.incoming)
            if lookup is None or final.get(lookup) is not None:
                yield f"The source's row {lookup or ''} of {table.name} then has the key {conflict.keys[0]} of a row that would come back."


def _referenced(evidence: Evidence, table: Table, target: RowImage, final: _Final) -> Iterator[str]:
    for key in table.referenced_by:
        child = evidence.tables.get(key.child)
        names = [target[table.column(name).ordinal] for name in key.parent_columns]
        if child is None or NOT_LOGGED in names:
            continue
        columns = [child.column(name).ordinal for name in key.child_columns]
        if any(
            lookup.table == key.child and image is not None and [image[o] for o in columns] == names
            for lookup, image in final.items()
        ):
            yield f"A row of {key.child} that the transaction writes references the row of {table.name} that is put back."
