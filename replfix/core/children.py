"""Rows that reference a row by a foreign key: what has to be known of them before that row goes, or gets another key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.lookup import Lookup
from replfix.core.table import ForeignKey, KeyPart, Table, TableName
from replfix.core.values import NOT_LOGGED, RowImage, Value


@dataclass(frozen=True, slots=True)
class Child:
    """A row of ``foreign_key.child`` whose parent by that key is ``parent``, a row of ``foreign_key.parent``."""

    foreign_key: ForeignKey
    row: RowImage
    parent: RowImage


@dataclass(frozen=True, slots=True)
class Held:
    """A referenced key as one row holds it: ``children`` finds the rows that reference it, ``holders`` those that hold it."""

    foreign_key: ForeignKey
    row: RowImage
    children: Lookup
    holders: Lookup

    @property
    def values(self) -> tuple[Value, ...]:
        return tuple(part[0] for part in self.holders.values)


def held_by(table: Table, row: RowImage) -> Iterator[Held]:
    """The referenced keys of a row; a key with a NULL in it cannot be referenced, one that was not logged cannot be asked."""
    for key in table.referenced_by:
        values = tuple(row[table.column(name).ordinal] for name in key.parent_columns)
        if None not in values and NOT_LOGGED not in values:
            yield Held(
                key,
                row,
                _lookup(key.child, f"{key.child}.{key.name} of child", key.child_columns, values),
                _lookup(key.parent, f"{key.child}.{key.name} of parent", key.parent_columns, values),
            )


def _lookup(table: TableName, name: str, columns: tuple[str, ...], values: tuple[Value, ...]) -> Lookup:
    # The name tells look-ups apart: those of a table that references itself, and of an index with the foreign key's name.
    return Lookup(table, name, tuple(KeyPart(column) for column in columns), tuple((value,) for value in values))
