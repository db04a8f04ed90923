"""Rows that a plan deletes although the source has them: they have to be there, as the source had them then.

A row of the replica can block because only *one* of its values diverged: its key is that of a row of the source too.
Deleting it would leave the replica without a row that the source has, and nothing would ever report that.

Such a row gets the state that it had on the source when the failing transaction was committed. The *first* transaction
after it (the failing one included) that touches the row shows that state (an insert: it was not there; an update or
delete: its before image). A row that none of them touches is on the source now as it was then.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.reconcile import RowRepair, identity_values
from replfix.core.rows.lookup import Answers, Lookup, by_identity, by_key
from replfix.core.rows.row_values import RowImage, Value
from replfix.core.schema.table import Table, TableName

Named = tuple[TableName, tuple[Value, ...]]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """What the source has now with the identity of a row that a repair takes out; None when it has no such row."""

    repair: RowRepair
    row: RowImage | None


def identity_lookup(table: Table, repair: RowRepair) -> Lookup | None:
    """Return what to ask the source for one repair; None when the row is not deleted for good."""
    if repair.current is None or repair.target is not None:
        return None
    return by_identity(table, repair.current)


def first_touches(
    changes: Iterable[RowChange], wanted: Iterable[Counterpart], tables: Mapping[TableName, Table]
) -> dict[Named, RowImage | None]:
    """Return, for each counterpart that the changes touch, its state before the first of them; None: it was not there.

    The source's own identity values are compared, which are equal to the byte; of a row that it no longer has, the
    replica's.
    """
    names = {_named(tables, c) for c in wanted}
    found: dict[Named, RowImage | None] = {}
    for change in changes:
        if len(found) == len(names):
            break  # the backlog can be long, and most rows are the failing transaction's own
        table = tables.get(change.table)
        if table is None:
            continue
        # The before image first: an update that moves the row away from its key touches that key too.
        for image, state in ((change.before, change.before), (change.left, None)):
            if image is None or len(image) != len(table.columns):
                continue
            values = identity_values(table, image)
            if values is not None and (table.name, values) in names:
                found.setdefault((table.name, values), state)
    return found


def _named(tables: Mapping[TableName, Table], counterpart: Counterpart) -> Named:
    table, row = tables[counterpart.repair.table], counterpart.row or counterpart.repair.current
    assert row is not None  # a row that is taken out is there
    values = identity_values(table, row)
    assert values is not None  # a row that was read has all its columns
    return table.name, values


def of_other_tables(
    counterparts: Iterable[Counterpart],
    touched: Mapping[Named, RowImage | None],
    replaced: Container[TableName],
    tables: Mapping[TableName, Table],
) -> list[Counterpart]:
    """Return the counterparts whose row on the source proves nothing: it is in another table of that name now."""
    return [c for c in counterparts if c.repair.table in replaced and _named(tables, c) not in touched]


def restored(
    counterparts: Iterable[Counterpart], touched: Mapping[Named, RowImage | None], tables: Mapping[TableName, Table]
) -> dict[RowRepair, RowRepair]:
    """Return the repairs that change: the row gets the source's state instead of being deleted for good.

    Columns of that state that the change does not have are marked as not logged.
    """
    changed: dict[RowRepair, RowRepair] = {}
    for counterpart in counterparts:
        target = touched.get(_named(tables, counterpart), counterpart.row)
        if target is not None:
            changed[counterpart.repair] = replace(counterpart.repair, target=target)
    return changed


def ahead(
    counterparts: Iterable[Counterpart],
    touched: Mapping[Named, RowImage | None],
    changes: Iterable[RowChange],
    tables: Mapping[TableName, Table],
) -> tuple[TableName, ...]:
    """Return tables with rows that the source cannot have had then as it has them now.

    Then: when the changes were committed. A row that the changes leave has a unique key of theirs, and nothing that was
    read touches them.
    """
    left = {
        lookup
        for change in changes
        if change.left is not None and (table := tables.get(change.table)) is not None
        for lookup in _keys(table, change.left)
    }
    untouched = (c for c in counterparts if c.row is not None and _named(tables, c) not in touched)
    found = (c.repair.table for c in untouched if c.row is not None and left & _keys(tables[c.repair.table], c.row))
    return tuple(dict.fromkeys(found))


def _keys(table: Table, row: RowImage) -> set[Lookup]:
    return {lookup for key in table.unique_keys if (lookup := by_key(table, key, row)) is not None}


def questions(repairs: Iterable[RowRepair], tables: Mapping[TableName, Table]) -> tuple[Lookup, ...]:
    """Return the look-ups of the replica's rows that have a unique key of the rows that repairs put there."""
    asked: dict[Lookup, None] = {}
    for repair in repairs:
        table = tables[repair.table]
        for key in table.unique_keys:
            if repair.target is not None and (lookup := by_key(table, key, repair.target)) is not None:
                asked[lookup] = None
    return tuple(asked)


def further(repairs: Iterable[RowRepair], tables: Mapping[TableName, Table], answers: Answers) -> tuple[RowRepair, ...]:
    """Return rows of the replica that block those rows and are not repaired yet: they go too."""
    known = list(repairs)
    current = {(r.table, r.current) for r in known if r.current is not None}
    found: dict[RowRepair, None] = {}
    for lookup in questions(known, tables):
        for row in answers.get(lookup, ()):
            if (lookup.table, row) not in current:
                found[RowRepair(lookup.table, row, None)] = None
    return tuple(found)
