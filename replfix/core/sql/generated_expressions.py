"""Values as a row of columns of their own types, and the generated columns that the server computes from them.

MariaDB in variables (10.3), MySQL by JSON_TABLE (8.0.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replfix.core.columns import select_form, type_of
from replfix.core.rows.row_values import RowImage, Value
from replfix.core.schema.table import Column, TableName
from replfix.core.sql.literals import literal
from replfix.core.sql.names import identifier, table_name


def work_out(table: TableName, reads: Sequence[Column], wanted: Sequence[Column], rows: Sequence[RowImage]) -> str:
    """Return a compound statement with one result for each of the rows: the values of the ``wanted`` columns.

    They depend on those in ``reads`` and on each other in this order. It reads no row and writes none.
    """
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


def worked_out(reads: Sequence[Column], wanted: Column, row: RowImage) -> str:
    """Return a SELECT of the ``wanted`` column's value for that row, as its type stores it. For MySQL; it reads no table."""
    given = [as_row(reads, [row[column.ordinal] for column in reads])] if reads else []
    kept = _table([f"'0', {wanted.expression}"], [wanted], "worked_out")
    shown = select_form(wanted).format(f"`worked_out`.{identifier(wanted.name)}")
    return f"SELECT {shown} FROM {', '.join((*given, kept))}"


def as_row(columns: Sequence[Column], values: Sequence[Value]) -> str:
    """Return the values as a table of one row, with the columns' names, types and collations.

    NULL is left out of the document, because a JSON column would get the document ``null`` otherwise.
    """
    pairs = [f"'{n}', {literal(c, v)}" for n, (c, v) in enumerate(zip(columns, values, strict=True)) if v is not None]
    return _table(pairs, columns, "incoming")


def _table(pairs: Sequence[str], columns: Sequence[Column], name: str) -> str:
    typed = [f"{identifier(c.name)} {_type(c)} PATH '$.\"{n}\"' ERROR ON ERROR" for n, c in enumerate(columns)]
    return f"JSON_TABLE(JSON_OBJECT({', '.join(pairs)}), '$' COLUMNS ({', '.join(typed)})) AS {identifier(name)}"


def _type(column: Column) -> str:
    text = f" CHARACTER SET {column.charset} COLLATE {column.collation}" if column.charset else ""
    return type_of(column).in_json_table(column) + text
