"""Whether a repair can be taken back, as known before it is carried out: mostly the transaction itself prevents it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from replfix.core.conflicts.reconcile import Conflict, ConflictKind
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import Step, Undoable
from replfix.core.rows.lookup import Lookup, by_identity
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, laid_over
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted, shortened

Outlook = tuple[Undoable, str]
_CANNOT = "Cannot be undone once the transaction is applied. "
_Conflicts = Mapping[tuple[TableName, RowImage | None], list[Conflict]]
_Final = Mapping[Lookup, RowImage | None]


def outlook(evidence: Evidence, steps: tuple[Step, ...]) -> Outlook:
    """Return whether the steps on the replica can be taken back once the transaction is applied after them, and why."""
    if not steps:
        return Undoable.NOTHING, "No row of the replica is changed before the transaction: there is nothing to undo."
    final = evidence.final.images
    conflicts = _by_row(evidence)
    reasons = (
        *_taken(evidence, conflicts, steps, final),
        *dict.fromkeys(_reasons(evidence, conflicts, steps, final)),
    )
    if not reasons:
        rows = counted(len(steps), "row")
        return Undoable.YES, f"'replfix undo' takes back {rows}, as long as nobody changes or references them."
    kept = any(step.current is not None for step in steps)
    return Undoable.NO, (
        f"{_CANNOT}{' '.join(shortened(reasons, 'reason'))}"
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
        return Undoable.IN_PART, f"{there}; the replica's own rows do not come back. {repair[1].removeprefix(_CANNOT)}"
    return Undoable.YES, f"{there}, and then the replica's rows."


def _reasons(evidence: Evidence, conflicts: _Conflicts, steps: tuple[Step, ...], final: _Final) -> Iterator[str]:
    for step in steps:
        table = evidence.tables[step.table]
        if step.target is not None and (reason := _left(table, step.target, final)):
            yield reason
        elif step.target is not None and step.current is None:
            yield from _referenced(evidence, table, step.target, final)
        if step.current is not None:
            yield from _without_parent(conflicts, step)


def _left(table: Table, target: RowImage, final: _Final) -> str:
    """Return why the row is not as the step leaves it when the transaction is through."""
    lookup = by_identity(table, target)
    if lookup is None or lookup not in final:
        return ""
    image = final[lookup]
    if image is not None and lookup.key is not None and laid_over(target, image) == target:
        return ""
    return f"The transaction itself changes or deletes the row {lookup} of {table.name}."


def _by_row(evidence: Evidence) -> _Conflicts:
    """Return the conflicts of each row of the replica."""
    assert evidence.reconciliation is not None
    found: dict[tuple[TableName, RowImage | None], list[Conflict]] = {}
    for conflict in evidence.reconciliation.conflicts:
        found.setdefault((conflict.table, conflict.replica_row), []).append(conflict)
    return found


def _without_parent(conflicts: _Conflicts, step: Step) -> Iterator[str]:
    for conflict in conflicts.get((step.table, step.current), ()):
        if conflict.kind is ConflictKind.EXTRA:
            yield f"A row of {step.table} would come back without the row that it references by {conflict.foreign_key}."


def _taken(evidence: Evidence, conflicts: _Conflicts, steps: tuple[Step, ...], final: _Final) -> Iterator[str]:
    """Yield which keys of rows that go now are the source's rows' once the transaction is through."""
    rows: dict[tuple[TableName, str], dict[Lookup | None, None]] = {}
    for step in steps:
        if step.current is None:
            continue
        table = evidence.tables[step.table]
        for conflict in conflicts.get((step.table, step.current), ()):
            if conflict.kind is ConflictKind.DUPLICATE and conflict.incoming is not None:
                lookup = by_identity(table, conflict.incoming)
                if lookup is None or final.get(lookup) is not None:
                    rows.setdefault((table.name, conflict.keys[0]), {})[lookup] = None
    for (name, key), lookups in rows.items():
        if len(lookups) > 1:
            yield f"{len(lookups):,} rows of the source in {name} then have the key {key} of rows that would come back."
        else:
            yield f"The source's row {next(iter(lookups)) or ''} of {name} then has the key {key} of a row that would come back."


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
