"""What a server is asked about one reading of a value: which rows have it.

A piece that is no value of its column excludes a reading before any query.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from replfix.core.columns import type_of
from replfix.core.columns.column_type import Impossible, Unaskable
from replfix.core.rows.row_values import Value
from replfix.core.schema.table import KeyPart, Table, UniqueKey


@dataclass(frozen=True, slots=True)
class Match:
    """``part`` of the key equals ``value``; of a part with a prefix, the value is that prefix.

    ``printed``: the column as text equals it, for types whose text is the same for many values (FLOAT).
    ``unprinted``: text, in which ? and U+FFFD are in place of any one character.
    """

    part: KeyPart
    value: Value
    printed: bool = False
    unprinted: bool = False


def matches(table: Table, key: UniqueKey, values: tuple[str, ...], *, cut: bool) -> tuple[Match, ...]:
    """Return the conditions of one reading; ``cut``: the last piece may go on. Impossible, Unaskable."""
    last = len(values) - 1
    return tuple(
        _match(table, part, text, cut=cut and number == last)
        for number, (part, text) in enumerate(zip(key.parts, values, strict=True))
    )


def with_any_character(table: Table, found: tuple[Match, ...]) -> tuple[Match, ...] | None:
    """Return the conditions with any character for one that the message does not have; None where there is none in them."""
    wider = tuple(replace(match, unprinted=True) if _unprinted(table, match) else match for match in found)
    return wider if wider != found else None


def _unprinted(table: Table, match: Match) -> bool:
    column = None if match.part.column is None else table.column(match.part.column)
    return (
        column is not None
        and column.charset is not None
        and match.part.prefix is None
        and not match.printed
        and isinstance(match.value, str)
        and any(character in match.value for character in UNPRINTED)
    )


UNPRINTED = ("?", "\N{REPLACEMENT CHARACTER}")
"""What is in a message in place of a character: that the connection's character set does not have; whose bytes are no UTF-8."""


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
