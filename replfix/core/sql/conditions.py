"""WHERE: the rows that a look-up, a printed key value or a whole row means."""

from __future__ import annotations

import re

from replfix.core.columns import select_form, type_of
from replfix.core.columns.key_probe import UNPRINTED, Match
from replfix.core.rows.lookup import Lookup, PartValues, by_own_identity
from replfix.core.rows.prefix_range import bounds
from replfix.core.rows.row_values import Json, RowImage, Value
from replfix.core.schema.table import Column, KeyPart, Table
from replfix.core.sql.generated_expressions import as_row
from replfix.core.sql.literals import literal
from replfix.core.sql.names import identifier, string, table_name
from replfix.errors import Refused


def _equals(column: Column, value: Value) -> str:
    return f"{identifier(column.name)} {type_of(column).equals} {literal(column, value)}"


def _part_equals(table: Table, part: KeyPart, values: PartValues, *, beside_expression: bool) -> str:
    """``beside_expression``: after ``year = 0`` MySQL 9.7.4 also puts 0 into an expression of the column, where the year is '0000'."""
    if part.column is None:
        return _expression_equals(table, part, values)
    column, value = table.column(part.column), values[0]
    if part.prefix is not None:
        return _begins(column, part.prefix, value)
    if beside_expression and type_of(column).equals == "=":
        return f"{identifier(column.name)} <=> {literal(column, value)}"
    return _equals(column, value)


def _begins(column: Column, prefix: int, value: Value) -> str:
    """Compare as the key does: the first characters (bytes of binary strings), under the column's collation."""
    assert isinstance(value, str | bytes)
    name = identifier(column.name)
    low, high = bounds(column, value)
    return " AND ".join(
        (
            f"LEFT({name}, {prefix}) = {literal(column, value)}",
            *([f"{name} >= {literal(column, low)}"] if low is not None else ()),
            *([f"{name} <= {literal(column, high)}"] if high is not None else ()),
        )
    )


def _expression_equals(table: Table, part: KeyPart, values: PartValues) -> str:
    """Compare the expression over the row with the expression over the values, both computed by the server.

    Under an index that is forced, JSON_OVERLAPS compares an array's elements as they are in the index (MySQL 9.7);
    without one it would take 1 and "1" for different.
    """
    if part.array is not None:
        return f"JSON_OVERLAPS({part.array}, (SELECT {part.array} FROM {_as_row(table, part, values)}))"
    return f"({part.expression}) = (SELECT {part.expression} FROM {_as_row(table, part, values)})"


def _as_row(table: Table, part: KeyPart, values: PartValues) -> str:
    return as_row([table.column(name) for name in part.reads], values)


_LIKE = 10  # rows that are like another one: that there are some is what matters


def matches(table: Table, lookup: Lookup) -> str:
    """Return the condition of a look-up."""
    if lookup.key is None:
        named = (
            (table.column(part.column or ""), value) for part, (value,) in zip(lookup.parts, lookup.values, strict=True)
        )
        if lookup.least is not None:
            return (
                " + ".join(f"({is_exactly(column, value)})" for column, value in named)
                + f" >= {lookup.least} LIMIT {_LIKE}"
            )
        return " AND ".join(is_exactly(column, value) for column, value in named)
    beside = any(part.column is None for part in lookup.parts)
    parts = zip(lookup.parts, lookup.values, strict=True)
    return " AND ".join(_part_equals(table, p, v, beside_expression=beside) for p, v in parts)


def found_in(table: Table, lookup: Lookup) -> str:
    """Return the table, the index to use and the condition of a look-up, as they follow FROM."""
    forced = lookup.key is not None and any(part.array is not None for part in lookup.parts)
    index = f" FORCE INDEX ({identifier(lookup.key or '')})" if forced else ""
    return f"{table_name(table.name)}{index} WHERE {matches(table, lookup)}"


def is_exactly(column: Column, value: Value) -> str:
    """Compare to the byte, where ``<=>`` would take José for jose; ``<=>`` comes first for the sake of an index."""
    name = identifier(column.name)
    if isinstance(value, Json):
        # As the server compares documents; SQL types inside one cannot always be written, and are left to the reader.
        try:
            return f"{name} <=> {literal(column, value)}"
        except Refused:
            return f"{name} IS NOT NULL"
    written = literal(column, value)
    if type_of(column).compared_as_selected:
        return f"{select_form(column).format(name)} <=> {written}"
    if not isinstance(value, str) or column.charset is None:
        return f"{name} <=> {written}"
    return f"{name} <=> {written} AND CAST(CONVERT({name} USING utf8mb4) AS BINARY) = CAST({written} AS BINARY)"


def row_named(table: Table, image: RowImage) -> str:
    """Return the condition of a statement that is to find one row: of several equal rows, any one."""
    lookup = by_own_identity(table, image)
    assert lookup is not None  # an identity key has no NULL, and what is read or inserted was logged
    return matches(table, lookup) + (" LIMIT 1" if lookup.key is None else "")


def shown(table: Table, match: Match, *, by_hand: bool = False) -> str:
    """Return the condition for rows whose key part is what the server printed of it, compared as the key compares.

    ``by_hand``: without the bounds that let a prefix key be used; the upper one has characters that nobody can copy.
    """
    if match.part.column is None:
        assert isinstance(match.value, str)
        return f"({match.part.expression}) = {string(match.value)}"
    column = table.column(match.part.column)
    if match.printed:
        return f"CAST({identifier(column.name)} AS CHAR) = {literal(column, match.value)}"
    if match.part.prefix is not None and by_hand:
        return f"LEFT({identifier(column.name)}, {match.part.prefix}) = {literal(column, match.value)}"
    if match.part.prefix is not None:
        return _begins(column, match.part.prefix, match.value)
    if match.unprinted:
        return f"{identifier(column.name)} LIKE {string(_any_character(str(match.value)))} ESCAPE '|'"
    return _equals(column, match.value)


def _any_character(text: str) -> str:
    """Return a pattern for LIKE: ``_`` is any one character."""
    escaped = re.sub(r"[|%_]", r"|\g<0>", text)
    return "".join("_" if character in UNPRINTED else character for character in escaped)
