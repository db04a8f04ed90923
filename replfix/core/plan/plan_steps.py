"""Rows brought from what they are to what they have to be, as steps in an order in which none is in another's way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from replfix.core import sql
from replfix.core.conflicts.foreign_keys.child_rows import held_by, references_of
from replfix.core.conflicts.reconcile import RowRepair
from replfix.core.plan.plan import Step, StepKind
from replfix.core.rows.row_diff import logged_in_part
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, laid_over
from replfix.core.schema.table import Table, TableName


def steps_of(repairs: Iterable[RowRepair], tables: Mapping[TableName, Table]) -> Iterator[Step]:
    """Yield the steps: rows that go first, then rows that change in place, then rows that come.

    So no step meets a key that a later one frees. Children go before their parents and come after them. A row that is
    not known in full has no SQL.
    """
    deletes: list[Step] = []
    updates: list[Step] = []
    inserts: list[Step] = []
    for repair in repairs:
        table = tables[repair.table]
        if repair.current is not None and repair.target is not None and not _moves_keys(table, repair):
            updates.append(_update(table, repair.current, repair.target))
            continue
        if repair.current is not None:
            deletes.append(_delete(table, repair.current))
        if repair.target is not None:
            inserts.append(_insert(table, repair))
    yield from reversed(tuple(parents_first(deletes[::-1], tables)))
    yield from updates
    yield from parents_first(inserts, tables)


def parents_first(steps: Sequence[Step], tables: Mapping[TableName, Table]) -> Iterator[Step]:
    """Yield each row after those of the steps that it references, as far as they are no circle.

    The steps are carried out without foreign key checks: it is for whoever runs their SQL by hand.
    """
    rows = [(step, step.current or step.target or ()) for step in steps]
    holders = {held.holders: n for n, (step, row) in enumerate(rows) for held in held_by(tables[step.table], row)}
    seen: set[int] = set()
    for start in range(len(rows)):
        waiting = [(start, False)]
        while waiting:
            n, ready = waiting.pop()
            if ready:
                yield rows[n][0]
            elif n not in seen:
                seen.add(n)
                step, row = rows[n]
                parents = (holders.get(lookup) for _, lookup in references_of(tables[step.table], row))
                waiting += [(n, True), *((p, False) for p in parents if p is not None and p not in seen)]


def _moves_keys(table: Table, repair: RowRepair) -> bool:
    """Return whether a unique key's column changes.

    That can swap values with another row: it is done as delete and insert.
    """
    assert repair.current is not None
    assert repair.target is not None
    columns = {name for key in table.unique_keys for name in key.columns}
    return any(
        repair.current[o] != repair.target[o] and repair.target[o] is not NOT_LOGGED
        for o in (table.column(name).ordinal for name in columns)
    )


def names_of(table: Table) -> tuple[str, ...]:
    """Return the names of the table's columns, in their order."""
    return tuple(column.name for column in table.columns)


def _delete(table: Table, current: RowImage) -> Step:
    return Step(
        StepKind.DELETE,
        table.name,
        names_of(table),
        current,
        None,
        sql=sql.delete_row(table, current),
        undo_sql=sql.insert_row(table, current),
    )


def _update(table: Table, current: RowImage, target: RowImage) -> Step:
    full = _completed(table, current, target)
    return Step(
        StepKind.UPDATE,
        table.name,
        names_of(table),
        current,
        full,
        sql=sql.update_row(table, current, full),
        undo_sql=sql.update_row(table, full, current),
    )


def _completed(table: Table, current: RowImage, target: RowImage) -> RowImage:
    """Return the target with what it does not say, as the row has it.

    What the replica alone works out of other columns is unknown.
    """
    full = laid_over(current, target)
    return tuple(NOT_LOGGED if c.own and c.generated else value for c, value in zip(table.columns, full, strict=True))


def _insert(table: Table, repair: RowRepair) -> Step:
    target, current = repair.target, repair.current
    assert target is not None
    full = target if current is None else _completed(table, current, target)
    if logged_in_part(table, full):
        return Step(StepKind.INSERT, table.name, names_of(table), None, full, sql="", undo_sql="")
    return Step(
        StepKind.INSERT,
        table.name,
        names_of(table),
        None,
        full,
        sql=sql.insert_row(table, full),
        undo_sql=sql.delete_row(table, full),
        alike=repair.alike,
    )


def alone(table: Table, event: str) -> bool:
    """Return whether that write, as a statement, does nothing else."""
    referenced = bool(table.referenced_by) and event != StepKind.INSERT.value.upper()
    return not referenced and all(trigger.event != event for trigger in table.triggers)
