"""Generated columns worked out by the server, in variables that have the columns' own types (MariaDB 10.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replfix.core.select_form import select_form
from replfix.core.sql.literals import literal
from replfix.core.sql.names import identifier, table_name
from replfix.core.table import Column, TableName
from replfix.core.values import RowImage


def work_out(table: TableName, reads: Sequence[Column], wanted: Sequence[Column], rows: Sequence[RowImage]) -> str:
    """A compound statement with one result for each of the rows: the values of the ``wanted`` columns, which depend on those
    in ``reads`` and on each other in this order. It reads no row and writes none."""
    return " ".join(_lines(table, reads, wanted, rows))


def _lines(
    table: TableName, reads: Sequence[Column], wanted: Sequence[Column], rows: Sequence[RowImage]
) -> Iterator[str]:
    yield "BEGIN NOT ATOMIC"
    for column in (*reads, *wanted):
        yield f"DECLARE {identifier(column.name)} TYPE OF {table_name(table)}.{identifier(column.name)};"
    listed = ", ".join(select_form(column).format(identifier(column.name)) for column in wanted)
    for row in rows:
        for column in reads:
            yield f"SET {identifier(column.name)} = {literal(column, row[column.ordinal])};"
        for column in wanted:
            yield f"SET {identifier(column.name)} = {column.expression};"
        yield f"SELECT {listed};"
    yield "END"
