"""Rows read and written."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from replfix.core.binlog.alter_table import ForeignKeyClause
from replfix.core.columns import select_form, type_of
from replfix.core.columns.key_probe import Match
from replfix.core.rows.lookup import Lookup
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import Column, Table, TableName, UniqueKey
from replfix.core.sql.conditions import found_in, matches, row_named, shown
from replfix.core.sql.literals import literal
from replfix.core.sql.names import identifier, table_name

NOTHING_TAKEN: Mapping[str, int] = MappingProxyType({})
_FEW = 3  # numbers that follow each other are shorter as a list


def select_list(table: Table) -> str:
    """Return every column in the form in which it is read back."""
    return ", ".join("NULL" if c.absent else select_form(c).format(identifier(c.name)) for c in table.columns)


def select_row(table: Table, lookup: Lookup, *, locking: bool = False) -> str:
    """Select every column of the rows that match one look-up; ``locking`` takes the row (and gap) locks for a write."""
    suffix = " FOR UPDATE" if locking else ""
    return f"SELECT {select_list(table)} FROM {found_in(table, lookup)}{suffix}"


def select_rows(table: Table, lookups: Sequence[Lookup]) -> str:
    """Several look-ups on one table in one statement; the first column says which of them a row answers."""
    return " UNION ALL ".join(
        f"(SELECT {number}, {select_list(table)} FROM {found_in(table, lookup)})"
        for number, lookup in enumerate(lookups)
    )


def count_rows(table: Table, lookups: Sequence[Lookup]) -> str:
    """Count the rows of each of several look-ups on one table, in one statement."""
    return " UNION ALL ".join(
        f"(SELECT {number}, COUNT(*) FROM {found_in(table, lookup)})" for number, lookup in enumerate(lookups)
    )


def count_up_to(name: TableName, limit: int) -> str:
    """Count the table's rows, no further than that."""
    return f"SELECT COUNT(*) FROM (SELECT 1 FROM {table_name(name)} LIMIT {limit:d}) counted"


def orphaned_values(key: ForeignKeyClause, limit: int) -> str:
    """Select values of a child's columns that no parent has, each with its number of rows; the most first."""
    columns = ", ".join(f"c.{identifier(name)}" for name in key.columns)
    pairs = list(zip(key.columns, key.parent_columns, strict=True))
    joined = " AND ".join(f"p.{identifier(theirs)} = c.{identifier(ours)}" for ours, theirs in pairs)
    asked = " AND ".join(f"c.{identifier(name)} IS NOT NULL" for name in key.columns)
    return (
        f"SELECT {columns}, COUNT(*) FROM {table_name(key.child)} c LEFT JOIN {table_name(key.parent)} p ON {joined} "
        f"WHERE p.{identifier(key.parent_columns[0])} IS NULL AND {asked} GROUP BY {columns} ORDER BY COUNT(*) DESC LIMIT {limit:d}"
    )


def select_any(table: Table, lookups: Sequence[Lookup]) -> str:
    """Select rows that match any of the look-ups, all by one key of columns; the answer does not say which."""
    first = lookups[0]
    if in_one_list(table, first):
        conditions = one_of(table.column(first.parts[0].column or ""), [lookup.values[0][0] for lookup in lookups])
    else:
        conditions = " OR ".join(f"({matches(table, lookup)})" for lookup in lookups)
    return f"SELECT {select_list(table)} FROM {table_name(table.name)} WHERE {conditions}"


_NO_PAD = re.compile(r"_0900_|_nopad_|\Abinary\Z")


def weigh(column: Column, values: Sequence[str]) -> str:
    """Select, in one row, by what the column's collation compares each of those texts: equal ones are one in a unique key.

    Trailing spaces count under a few collations only (PAD SPACE, NO PAD).
    """
    collation = column.collation or "binary"
    cut = "{}" if _NO_PAD.search(collation) else "TRIM(TRAILING ' ' FROM {})"
    texts = (f"CONVERT({literal(column, value)} USING {identifier(column.charset or 'utf8mb4')})" for value in values)
    weighed = (f"WEIGHT_STRING({cut.format(text)} COLLATE {identifier(collation)})" for text in texts)
    return f"SELECT {', '.join(weighed)}"


def in_one_list(table: Table, lookup: Lookup) -> bool:
    """Return whether look-ups by this one's key are a list of values of one column."""
    if len(lookup.parts) != 1 or lookup.parts[0].column is None or lookup.parts[0].prefix is not None:
        return False
    type_ = type_of(table.column(lookup.parts[0].column))
    return type_.in_a_list and type_.equals == "="


def one_of(column: Column, values: Sequence[Value]) -> str:
    """Return the condition that a column has one of the values; of whole numbers, those that follow each other as ranges."""
    name = identifier(column.name)
    if not all(type(value) is int for value in values):
        return f"{name} IN ({', '.join([literal(column, value) for value in values])})"
    numbers = sorted({value for value in values if isinstance(value, int)})
    alone: list[str] = []
    conditions: list[str] = []
    first = last = numbers[0]
    for number in (*numbers[1:], None):
        if number is not None and number == last + 1:
            last = number
            continue
        if last - first < _FEW:
            alone += map(str, range(first, last + 1))
        else:
            conditions.append(f"{name} BETWEEN {first} AND {last}")
        if number is not None:
            first = last = number
    if alone:
        conditions.append(f"{name} IN ({', '.join(alone)})")
    return " OR ".join(conditions)


def select_named(table: Table, columns: Sequence[Column], key: UniqueKey, values: Sequence[tuple[Value, ...]]) -> str:
    """Select a few columns of the rows that have any of those values of a key, which is one of whole columns."""
    selected = ", ".join(select_form(column).format(identifier(column.name)) for column in columns)
    return f"SELECT {selected} FROM {table_name(table.name)} WHERE {_among(table, key, values)}"


def count_named(table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]]) -> str:
    """Count the rows that have any of those values of a key, which is one of whole columns."""
    return f"SELECT COUNT(*) FROM {table_name(table.name)} WHERE {_among(table, key, values)}"


def _among(table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]]) -> str:
    columns = [table.column(name) for name in key.columns]
    names = ", ".join(identifier(column.name) for column in columns)
    if len(columns) > 1:
        rows = (", ".join(map(literal, columns, of_row)) for of_row in values)
        return f"({names}) IN ({', '.join(f'({row})' for row in rows)})"
    return one_of(columns[0], [value for (value,) in values])


def select_alike(table: Table, lookups: Sequence[Lookup]) -> str:
    """Select, in one pass over the table, rows whose every column has one of the values that the look-ups have there.

    That is all of the rows in question and some others: the caller keeps those that are equal.
    """
    conditions = []
    for number, part in enumerate(lookups[0].parts):
        column = table.column(part.column or "")
        if type_of(column).in_a_list:
            values = {lookup.values[number][0] for lookup in lookups}
            given = ", ".join(literal(column, value) for value in values if value is not None)
            among = [f"{identifier(column.name)} IN ({given})"] if given else []
            among += [f"{identifier(column.name)} IS NULL"] if None in values else []
            conditions.append(f"({' OR '.join(among)})")
    if not conditions:
        conditions = [" OR ".join(f"({matches(table, lookup)})" for lookup in lookups)]
    return f"SELECT {select_list(table)} FROM {table_name(table.name)} WHERE {' AND '.join(conditions)}"


def select_shown(table: Table, matches: Sequence[Match], limit: int) -> str:
    """Select at most ``limit`` rows that a printed key value can mean, every column of them."""
    where = " AND ".join(shown(table, match) for match in matches)
    return f"SELECT {select_list(table)} FROM {table_name(table.name)} WHERE {where} LIMIT {limit:d}"


def find_shown(table: Table, matches: Sequence[Match]) -> str:
    """Return the query for such rows, for a human to run."""
    where = " AND ".join(shown(table, match, by_hand=True) for match in matches)
    return f"SELECT * FROM {table_name(table.name)} WHERE {where}"


def delete_row(table: Table, current: RowImage) -> str:
    """Delete one row, only while every column is as in ``current``."""
    return f"DELETE FROM {table_name(table.name)} WHERE {row_named(table, current)}"


def delete_last_inserted(table: Table, column: str) -> str:
    """Delete the row that this very session inserted last; in any other session it finds none."""
    return f"DELETE FROM {table_name(table.name)} WHERE {identifier(column)} = LAST_INSERT_ID()"


LAST_INSERTED = "SELECT LAST_INSERT_ID()"


def keep_key(number: int) -> str:
    """Keep the AUTO_INCREMENT value that the step of that number was given, for the steps that use it."""
    return f"SET @key_{number:d} = LAST_INSERT_ID()"


def insert_row(table: Table, target: RowImage, takes: Mapping[str, int] = NOTHING_TAKEN) -> str:
    """Insert every column but generated ones, and the replica's own columns, which get their defaults.

    ValueError when another value was not logged. For ``takes`` see ``keep_key``.
    """
    stored = [c for c in table.columns if not c.generated and not (c.own and target[c.ordinal] is NOT_LOGGED)]
    names = ", ".join(identifier(c.name) for c in stored)
    values = ", ".join(f"@key_{takes[c.name]:d}" if c.name in takes else literal(c, target[c.ordinal]) for c in stored)
    return f"INSERT INTO {table_name(table.name)} ({names}) VALUES ({values})"


def update_row(table: Table, current: RowImage, target: RowImage) -> str:
    """Set only columns that differ and were logged; ON UPDATE columns keep their value because it is given."""
    changes = [
        f"{identifier(c.name)} = {literal(c, target[c.ordinal])}"
        for c in table.columns
        if not c.generated
        and target[c.ordinal] is not NOT_LOGGED
        and (target[c.ordinal] != current[c.ordinal] or type_of(c).updates_itself)
    ]
    return f"UPDATE {table_name(table.name)} SET {', '.join(changes)} WHERE {row_named(table, current)}"


def repeated_values(table: TableName, columns: Sequence[str]) -> str:
    """Select values that more than one row has in these columns together."""
    names = ", ".join(identifier(name) for name in columns)
    return f"SELECT {names}, COUNT(*) FROM {table_name(table)} GROUP BY {names} HAVING COUNT(*) > 1"


def duplicate_values(table: Table, key: UniqueKey, limit: int) -> str:
    """Select a key's values that several rows have, with how many rows; NULLs collide with nothing."""
    parts = [identifier(p.column or "") if p.prefix is None else f"LEFT({identifier(p.column or '')}, {p.prefix})"
             for p in key.parts]  # fmt: skip
    listed = ", ".join(parts)
    held = " AND ".join(f"{part} IS NOT NULL" for part in parts)
    return (
        f"SELECT /*+ MAX_EXECUTION_TIME(20000) */ {listed}, COUNT(*) FROM {table_name(table.name)} WHERE {held} GROUP BY {listed} HAVING COUNT(*) > 1 "
        f"ORDER BY COUNT(*) DESC LIMIT {limit}"
    )
