"""Parents and children of rows: what foreign keys of the replica want before the transaction can be applied.

A row that is written needs its parents; a row that is deleted, or changed in referenced columns, must have no children
left where the foreign key restricts. What earlier rows of the same transaction put in place or take away is taken into
account, as the values are logged: where two spellings are one value for the server, the rehearsal is the judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.cascades import keys_taken, unchanged
from replfix.core.conflicts.reconcile import Identity, identity_values
from replfix.core.rows.lookup import Lookup
from replfix.core.rows.row_diff import logged_in_part
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import ForeignKey, KeyPart, Table, TableName

_RESTRICTS = ("RESTRICT", "NO ACTION")


@dataclass(frozen=True, slots=True)
class Reference:
    """A row that needs a parent, or is a parent that goes: ``lookup`` finds the other side on a server."""

    foreign_key: ForeignKey
    lookup: Lookup
    change: int  # index into the transaction's changes


def _values(table: Table, columns: Iterable[str], image: RowImage) -> tuple[Value, ...] | None:
    """Return the values; none where one is NULL (such a row references nothing) or was not logged."""
    values = tuple(image[table.column(name).ordinal] for name in columns)
    return None if None in values or NOT_LOGGED in values else values


def _lookup(table: TableName, key: ForeignKey, columns: tuple[str, ...], values: tuple[Value, ...]) -> Lookup:
    return Lookup(table, key.name, tuple(KeyPart(name) for name in columns), tuple((value,) for value in values))


def parents_of(table: Table, image: RowImage, change: int) -> Iterator[Reference]:
    """Yield the rows that the row references, one for each foreign key."""
    for key in table.foreign_keys:
        values = _values(table, key.child_columns, image)
        if values is not None:
            yield Reference(key, _lookup(key.parent, key, key.parent_columns, values), change)


def needed_parents(changes: tuple[RowChange, ...], tables: Mapping[TableName, Table]) -> tuple[Reference, ...]:
    """Return the parents of rows that the transaction writes, but for those that it writes itself before."""
    found: dict[Lookup, Reference] = {}
    placed: set[tuple[TableName, tuple[str, ...], tuple[Value, ...]]] = set()
    for index, change in enumerate(changes):
        table = tables.get(change.table)
        if table is None:
            continue
        left = change.left
        if left is not None and change.checks_foreign_keys:
            for reference in parents_of(table, left, index):
                if change.before is not None and unchanged(table, _looked_at(table, reference.foreign_key), change):
                    continue
                values = tuple(part[0] for part in reference.lookup.values)
                key = reference.foreign_key
                itself = key.parent == table.name and _values(table, key.parent_columns, left) == values
                if not itself and (key.parent, key.parent_columns, values) not in placed:
                    found.setdefault(reference.lookup, reference)
        for key in table.referenced_by:
            for image, put in ((change.before, placed.discard), (left, placed.add)):
                held = _values(table, key.parent_columns, image) if image is not None else None
                if held is not None:
                    put((table.name, key.parent_columns, held))
    return tuple(found.values())


def _looked_at(table: Table, key: ForeignKey) -> tuple[str, ...]:
    """Return the columns on whose change the server looks for the parent.

    A row that gets another key is one more entry in the index of its foreign key (InnoDB, MariaDB 11.8.6).
    """
    return (*key.child_columns, *(table.identity.columns if table.identity is not None else ()))


def blocking_children(changes: tuple[RowChange, ...], tables: Mapping[TableName, Table]) -> tuple[Reference, ...]:
    """Return the look-ups of children that restrict rows which the transaction deletes or gives another key."""
    found: dict[Lookup, Reference] = {}
    for index, table, key, before in keys_taken(changes, tables, _RESTRICTS):
        values = _values(table, key.parent_columns, before)
        if values is not None:
            reference = Reference(key, _lookup(key.child, key, key.child_columns, values), index)
            found.setdefault(reference.lookup, reference)
    return tuple(found.values())


def comes_back(changes: tuple[RowChange, ...], reference: Reference, parent: Table) -> bool:
    """Return whether the key that the change takes away is there again after the transaction, as with REPLACE.

    Keys are compared as they are logged: for another spelling the answer is no.
    """
    columns = reference.foreign_key.parent_columns
    gone, there = _values(parent, columns, changes[reference.change].before or ()), False
    for change in changes[reference.change :]:
        if change.table == parent.name:
            for image, holds in ((change.before, False), (change.left, True)):
                if image is not None and _values(parent, columns, image) == gone:
                    there = holds
    return there


def touched_before(changes: tuple[RowChange, ...], index: int, tables: Mapping[TableName, Table]) -> set[Identity]:
    """Return rows that the transaction itself changes or deletes before that change."""
    found: set[Identity] = set()
    for change in changes[:index]:
        table = tables.get(change.table)
        values = identity_values(table, change.before) if table and change.before is not None else None
        if table is not None and values is not None:
            found.add((table.name, values))
    return found


class Since(Protocol):
    """The failing transaction's changes and those after it, in order.

    ``whole`` when they were read to the end of the log, else ``replaced`` has the tables that are others under these
    names now.
    """

    whole: bool
    replaced: set[TableName]

    def __iter__(self) -> Iterator[RowChange]: ...


def states_then(
    changes: Since,
    wanted: Mapping[Reference, RowImage | None],
    tables: Mapping[TableName, Table],
) -> dict[Reference, RowImage | None]:
    """Return each parent as the source had it when the failing transaction was committed, None where it had none.

    A parent whose state is unknown is left out. ``wanted``: the source's rows now, None where there is none. The first
    change that touches a row shows how it was before; a row that none touches is as it is now.
    """
    named = {reference: _names(reference, row, tables) for reference, row in wanted.items()}
    found: dict[Reference, RowImage | None] = {}
    of_table: dict[TableName, list[Reference]] = {}
    for reference in wanted:
        of_table.setdefault(reference.lookup.table, []).append(reference)
    for change in changes:
        if len(found) == len(named):
            break
        table = tables.get(change.table)
        if table is None:
            continue
        images = ((change.before, change.before), (change.left, None))
        for reference in of_table.get(change.table, ()):
            if reference in found:
                continue
            for image, state in images:
                if image is None or len(image) != len(table.columns):
                    continue
                if _values(table, reference.foreign_key.parent_columns, image) == named[reference]:
                    found.setdefault(reference, state)
    then = {reference: found.get(reference, row) for reference, row in wanted.items()}
    return {
        reference: state
        for reference, state in then.items()
        if (
            reference in found
            or changes.whole
            or (state is not None and reference.lookup.table not in changes.replaced)
        )
        and (state is None or not logged_in_part(tables[reference.lookup.table], state))
    }


def _names(reference: Reference, row: RowImage | None, tables: Mapping[TableName, Table]) -> tuple[Value, ...] | None:
    """Return the referenced values as the source spells them; as the child does where the source no longer has the row."""
    if row is None:
        return tuple(part[0] for part in reference.lookup.values)
    return _values(tables[reference.lookup.table], reference.foreign_key.parent_columns, row)
