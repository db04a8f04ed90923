"""CHAR, VARCHAR and TEXT."""

from __future__ import annotations

from replfix.core.columns.column_type import SAMPLES, ColumnType, text_in
from replfix.core.rows.row_values import Value
from replfix.core.schema.table import Column


def _printed(_: Column, text: str) -> Value:
    return text


def _samples(_: Column) -> tuple[Value, ...]:
    return ("", *map(str, range(1, SAMPLES)))


TYPES = (
    ColumnType(
        ("char",),
        lambda answer: text_in(answer).rstrip(" "),  # as in the binlog, whatever PAD_CHAR_TO_FULL_LENGTH says
        printed=_printed,
        samples=_samples,
        in_a_list=True,
        by_prefix=True,
    ),
    ColumnType(("varchar",), text_in, printed=_printed, samples=_samples, in_a_list=True, by_prefix=True),
    ColumnType(
        ("tinytext", "text", "mediumtext", "longtext"), text_in, printed=_printed, samples=_samples, by_prefix=True
    ),
)
