"""Asking a server for the rows that hold given key values: the server compares, under its own collations."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.table import KeyPart, Table, TableName, UniqueKey
from replfix.core.values import NOT_LOGGED, RowImage, Value


@dataclass(frozen=True, slots=True)
class Lookup:
    """Rows of ``table`` whose key parts equal ``values``. Hashable: the same question is asked once."""

    table: TableName
    key: str
    parts: tuple[KeyPart, ...]
    values: tuple[Value, ...]


Answers = dict[Lookup, tuple[RowImage, ...]]


def by_key(table: Table, key: UniqueKey, image: RowImage) -> Lookup | None:
    """The look-up of the rows that collide with ``image`` on ``key``.

    None when no row can: a NULL in a unique key never collides; and when it cannot be asked: a functional part
    (``unasked_keys`` names those) or a column that the event did not log.
    """
    values: list[Value] = []
    for part in key.parts:
        if part.column is None:
            return None
        value = image[table.column(part.column).ordinal]
        if value is None or value is NOT_LOGGED:
            return None
        values.append(_compared(part, value))
    return Lookup(table.name, key.name, key.parts, tuple(values))


def _compared(part: KeyPart, value: Value) -> Value:
    """What the key holds of a value: the rest can be of megabytes, and does not count."""
    return value[: part.prefix] if isinstance(value, str | bytes) and part.prefix is not None else value


def unasked_keys(table: Table) -> tuple[str, ...]:
    """Unique keys over expressions: their values are not in the row image, so only a rehearsal can try them."""
    return tuple(k.name for k in table.unique_keys if any(p.column is None for p in k.parts))
