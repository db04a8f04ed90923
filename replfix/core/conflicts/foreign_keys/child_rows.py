"""Rows that reference a row by a foreign key: what happens to them when a plan deletes that row or changes its key.

Steps run without foreign key checks, so that no cascade fires: what a cascade would have done is a step of its own, and
a child whose parent's key comes back stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from replfix.core.rows.lookup import Lookup
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value, laid_over
from replfix.core.schema.table import ForeignKey, KeyPart, Table, TableName


class Rewritten(Protocol):
    """A repair or a plan's step: one row of the replica changed from ``current`` to ``target`` (None: no such row)."""

    @property
    def table(self) -> TableName:
        """Return the row's table."""

    @property
    def current(self) -> RowImage | None:
        """Return the row as it is now, None when it is missing."""

    @property
    def target(self) -> RowImage | None:
        """Return the row as it has to be, None when it has to go."""


@dataclass(frozen=True, slots=True)
class Child:
    """A row of ``foreign_key.child`` whose parent by that key is ``parent``, a row of ``foreign_key.parent``."""

    foreign_key: ForeignKey
    row: RowImage
    parent: RowImage


@dataclass(frozen=True, slots=True)
class Orphan:
    """A reference of a row of ``child`` to a row that the source does not have either.

    On the source it was written without foreign key checks, or slipped through them. The replica is left with the same.
    """

    child: TableName
    foreign_key: str
    parent: TableName
    columns: tuple[str, ...]  # of the child
    values: tuple[Value, ...]

    @classmethod
    def of(cls, key: ForeignKey, lookup: Lookup) -> Orphan:
        """``lookup``: where the parent would be, as ``references_of`` says it."""
        return cls(key.child, key.name, key.parent, key.child_columns, tuple(part[0] for part in lookup.values))


@dataclass(frozen=True, slots=True)
class Replaced:
    """A referenced key whose row the transaction deletes and writes again.

    ``children`` rows of the replica have a parent before and after that; in between the server rejects the DELETE.
    """

    foreign_key: ForeignKey
    key: Lookup
    children: int


@dataclass(frozen=True, slots=True)
class ReferencedKey:
    """A referenced key of one row: ``children`` finds the rows that reference it, ``holders`` those that have it.

    ``becomes``: the same row's values of that key after the plan; None when the row goes, or has a NULL there.
    """

    foreign_key: ForeignKey
    row: RowImage
    children: Lookup
    holders: Lookup
    becomes: tuple[Value, ...] | None = None

    @property
    def values(self) -> tuple[Value, ...]:
        """Return the key's values."""
        return tuple(part[0] for part in self.holders.values)

    @property
    def identity(self) -> tuple[ForeignKey, tuple[Value, ...]]:
        """Return what makes it the same key as another."""
        return self.foreign_key, self.values


def held_by(table: Table, row: RowImage) -> Iterator[ReferencedKey]:
    """Yield the referenced keys of a row: none with a NULL, which nothing references, or a column that was not logged."""
    for key in table.referenced_by:
        values = _values(table, key.parent_columns, row)
        if values is not None:
            yield ReferencedKey(
                key,
                row,
                _lookup(key.child, f"{key.child}.{key.name} of child", key.child_columns, values),
                _lookup(key.parent, f"{key.child}.{key.name} of parent", key.parent_columns, values),
            )


def as_child(table: Table, row: RowImage) -> Iterator[Lookup]:
    """Yield the look-ups by which ``ReferencedKey.children`` finds this row, one for each foreign key."""
    for key in table.foreign_keys:
        values = _values(table, key.child_columns, row)
        if values is not None:
            yield _lookup(key.child, f"{key.child}.{key.name} of child", key.child_columns, values)


def _values(table: Table, columns: Iterable[str], row: RowImage) -> tuple[Value, ...] | None:
    values = tuple(row[table.column(name).ordinal] for name in columns)
    return None if None in values or NOT_LOGGED in values else values


def _lookup(table: TableName, name: str, columns: tuple[str, ...], values: tuple[Value, ...]) -> Lookup:
    # The name distinguishes look-ups: those of a table that references itself, and of an index with the foreign key's name.
    return Lookup(table, name, tuple(KeyPart(column) for column in columns), tuple((value,) for value in values))


def references_of(table: Table, row: RowImage) -> Iterator[tuple[ForeignKey, Lookup]]:
    """Yield where the row's parents are, one for each foreign key, by the look-ups that ``ReferencedKey.holders`` has."""
    for key in table.foreign_keys:
        values = _values(table, key.child_columns, row)
        if values is not None:
            yield key, _lookup(key.parent, f"{key.child}.{key.name} of parent", key.parent_columns, values)


def orphans_of(table: Table, row: RowImage, orphans: Collection[Orphan]) -> Iterator[tuple[ForeignKey, Orphan]]:
    """Yield those of the row's references that are in ``orphans``."""
    for reference in references_of(table, row):
        if (orphan := Orphan.of(*reference)) in orphans:
            yield reference[0], orphan


def parents_wanted(
    changed: Iterable[Rewritten], tables: Mapping[TableName, Table]
) -> Iterator[tuple[Rewritten, ForeignKey, Lookup]]:
    """Yield, for each row that is written with a new reference, the foreign key and the look-up of its parent."""
    for each in changed:
        if each.target is None:
            continue
        table = tables[each.table]
        before = dict(references_of(table, each.current)) if each.current is not None else {}
        for key, lookup in references_of(table, _filled(each)):
            if before.get(key) != lookup:
                yield each, key, lookup


def released_keys(changed: Sequence[Rewritten], tables: Mapping[TableName, Table]) -> tuple[ReferencedKey, ...]:
    """Return the referenced keys that rows of the replica lose, and that no written row has."""
    written = [(tables[each.table], _filled(each)) for each in changed if each.target is not None]
    taken = {held.identity for table, row in written for held in held_by(table, row)}
    found: dict[tuple[ForeignKey, tuple[Value, ...]], ReferencedKey] = {}
    for each in changed:
        if each.current is None:
            continue
        table = tables[each.table]
        for held in held_by(table, each.current):
            if held.identity not in taken:
                becomes = None
                if each.target is not None:
                    becomes = _values(table, held.foreign_key.parent_columns, _filled(each))
                found[held.identity] = replace(held, becomes=becomes)
    return tuple(found.values())


def _filled(each: Rewritten) -> RowImage:
    assert each.target is not None
    if each.current is None:
        return each.target
    return laid_over(each.current, each.target)


def cascade_effects(table: Table, child: RowImage, losses: Iterable[ReferencedKey]) -> RowImage | None:
    """Return what happens to children that are only on the replica when their parents lose those keys.

    It is what the foreign keys would have done, as far as that keeps the row: it follows a parent that stays under
    another key; else it loses the reference where its foreign key says SET NULL; else it is deleted (None).
    """
    row = list(child)
    for held in losses:
        key = held.foreign_key
        if held.becomes is not None and key.on_update != "SET NULL":
            values: Sequence[Value] = held.becomes
        elif (key.on_delete if held.becomes is None else key.on_update) == "SET NULL":
            values = [None] * len(key.child_columns)
        else:
            return None
        for name, value in zip(key.child_columns, values, strict=True):
            row[table.column(name).ordinal] = value
    return tuple(row)
