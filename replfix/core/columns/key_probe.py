"""What a server is asked about one reading of a value: which rows have it.

A piece that is no value of its column excludes a reading before any query.
"""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.columns import type_of
from replfix.core.columns.column_type import Impossible, Unaskable
from replfix.core.rows.row_values import Value
from replfix.core.schema.table import KeyPart, Table, UniqueKey


@dataclass(frozen=True, slots=True)
class Match:
    """``part`` of the key equals ``value``; of a part with a prefix, the value is that prefix.

    ``printed``: the column as text equals it, for types whose text is the same for many values (FLOAT).
    """

    part: KeyPart
    value: Value
    printed: bool = False


def matches(table: Table, key: UniqueKey, values: tuple[str, ...], *, cut: bool) -> tuple[Match, ...]:
    """Return the conditions of one reading; ``cut``: the last piece may go on. Impossible, Unaskable."""
    last = len(values) - 1
    return tuple(
        _match(table, part, text, cut=cut and number == last)
        for number, (part, text) in enumerate(zip(key.parts, values, strict=True))
    )


def _match(table: Table, part: KeyPart, text: str, *, cut: bool) -> Match:
    if part.column is None:
        if part.array is not None:
            raise Unaskable("a multi-valued key prints the whole array, not the element that collided")
        if cut:
            raise Unaskable("the value is cut, and of an expression's value no beginning can be looked up")
        return Match(part, text)
    column = table.column(part.column)
    type_ = type_of(column)
    if cut and not type_.by_prefix:
        raise Unaskable(f"the value is cut, and {column.name} is no text")
    value = type_.printed(column, text)
    if isinstance(value, str | bytes) and type_.by_prefix:
        if cut:
            return Match(KeyPart(part.column, len(value)), value)
        if part.prefix is not None and len(value) > part.prefix:
            raise Impossible
    return Match(part, value, printed=type_.many_to_a_text)
