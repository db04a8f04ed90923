"""AUTO_INCREMENT: the numbers that tables have, and the next one."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.schema.table import Column, TableName
from replfix.core.sql.names import identifier, table_name


def highest(table: TableName, column: str) -> str:
    """MAX of a column; reads the end of an index where the column is the first of one."""
    return f"SELECT MAX({identifier(column)}) FROM {table_name(table)}"


def highest_of_each(columns: Sequence[tuple[TableName, str]]) -> str:
    """Do as for one table, for several in one statement; the first column says which of them it is."""
    return " UNION ALL ".join(
        f"SELECT {number}, MAX({identifier(column)}) FROM {table_name(table)}"
        for number, (table, column) in enumerate(columns)
    )


def numbers_of_class(table: TableName, column: str, least: int, most: int, increment: int, residue: int) -> str:
    """Return how many rows have a number in that range with that ``residue``, the lowest and the highest of them."""
    name = identifier(column)
    return (
        f"SELECT COUNT(*), MIN({name}), MAX({name}) FROM {table_name(table)} "
        f"WHERE {name} BETWEEN {least:d} AND {most:d} AND {name} % {increment:d} = {residue:d}"
    )


def advance_counter(table: TableName, next_value: int) -> str:
    """Return the ALTER TABLE that sets the next value; InnoDB never sets it below the highest id."""
    return f"ALTER TABLE {table_name(table)} AUTO_INCREMENT = {next_value:d}"


def widen_counter(table: TableName, column: Column) -> str:
    """Return the ALTER TABLE that makes the column BIGINT UNSIGNED."""
    return f"ALTER TABLE {table_name(table)} MODIFY {identifier(column.name)} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT"


def remainders(table: TableName, column: str, increment: int, rows: int) -> str:
    """Return how many of a table's newest rows have a number of each class."""
    name = identifier(column)
    return (
        f"SELECT {name} % {increment:d} AS class, COUNT(*), MAX({name}) FROM "
        f"(SELECT {name} FROM {table_name(table)} ORDER BY {name} DESC LIMIT {rows:d}) AS newest GROUP BY class"
    )
