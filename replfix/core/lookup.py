"""Asking a server for the rows that hold given key values: the server compares, under its own collations."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.table import KeyPart, Table, TableName, UniqueKey
from replfix.core.values import NOT_LOGGED, RowImage, Value

PartValues = tuple[Value, ...]
"""The values of the columns that one part of a key reads: one, or as many as its expression names."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows of ``table`` whose key parts equal those of ``values``. Hashable: the same question is asked once."""

    table: TableName
    key: str
    parts: tuple[KeyPart, ...]
    values: tuple[PartValues, ...]

    def __str__(self) -> str:
        return ", ".join(str(value) for of_part in self.values for value in of_part)


Answers = dict[Lookup, tuple[RowImage, ...]]


def by_key(table: Table, key: UniqueKey, image: RowImage) -> Lookup | None:
    """The look-up of the rows that collide with ``image`` on ``key``.

    None when no row can: a NULL in a unique key never collides; and when it cannot be asked: a column that the event
    did not log. Whether an expression is NULL, the server finds out.
    """
    values: list[PartValues] = []
    for part in key.parts:
        of_part = tuple(image[table.column(name).ordinal] for name in part.columns)
        if NOT_LOGGED in of_part or (part.column is not None and None in of_part):
            return None
        values.append(tuple(_compared(part, value) for value in of_part))
    return Lookup(table.name, key.name, key.parts, tuple(values))


def _compared(part: KeyPart, value: Value) -> Value:
    """What the key holds of a value: the rest can be of megabytes, and does not count."""
    return value[: part.prefix] if isinstance(value, str | bytes) and part.prefix is not None else value
