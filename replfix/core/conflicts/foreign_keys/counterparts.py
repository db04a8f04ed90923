"""Rows that a plan takes out although the source has them: they have to be there, as the source had them then.

A row of the replica can be in the way because only *one* of its values diverged: its key is a row of the source too.
Taking it out would leave the replica without a row that the source has, and nothing would ever say so. Such a row gets
the state that it had on the source when the failing transaction was committed: the *first* transaction after it (the
failing one included) that touches the row tells (an insert: it was not there; an update or delete: its before image);
a row that none of them touches is on the source now as it was then.
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
    """What to ask the source for one repair; None when the row is not taken out without a successor."""
    if repair.current is None or repair.target is not None:
        return None
    return by_identity(table, repair.current)


def first_touches(
    changes: Iterable[RowChange], wanted: Iterable[Counterpart], tables: Mapping[TableName, Table]
) -> dict[Named, RowImage | None]:
    """For each counterpart that the changes touch: its state before the first of them, None when it was not there.

    The source's own identity values are compared, which are equal to the byte; of a row that it has no more, the replica's.
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
    """Those of whom the source's row of now tells nothing: it is in another table of that name."""
    return [c for c in counterparts if c.repair.table in replaced and _named(tables, c) not in touched]


def restored(
    counterparts: Iterable[Counterpart], touched: Mapping[Named, RowImage | None], tables: Mapping[TableName, Table]
) -> dict[RowRepair, RowRepair]:
    """The repairs that change: the row is brought to the source's state instead of being taken out for good. What of that state
    the change does not hold is not logged in it."""
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
    """Tables of rows that the source cannot have had when the changes were committed as it has them now: a row that the changes leave
    has a unique key of theirs. Nothing that was read touches them."""
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
    """Which rows of the replica hold a unique key of the rows that repairs put there."""
    asked: dict[Lookup, None] = {}
    for repair in repairs:
        table = tables[repair.table]
        for key in table.unique_keys:
            if repair.target is not None and (lookup := by_key(table, key, repair.target)) is not None:
                asked[lookup] = None
    return tuple(asked)


def further(repairs: Iterable[RowRepair], tables: Mapping[TableName, Table], answers: Answers) -> tuple[RowRepair, ...]:
    """Rows of the replica that are in the way of those rows, and are not repaired yet: they go too."""
    known = list(repairs)
    current = {(r.table, r.current) for r in known if r.current is not None}
    found: dict[RowRepair, None] = {}
    for lookup in questions(known, tables):
        for row in answers.get(lookup, ()):
            if (lookup.table, row) not in current:
                found[RowRepair(lookup.table, row, None)] = None
    return tuple(found)
