"""Column types: one file a family, with all that the core has to know of it. A new family is listed here.

How its values lie in row events is in ``mysql/binlog/columns/``.
"""

from __future__ import annotations

from replfix.core.columns import (
    addresses,
    bits,
    byte_strings,
    decimal_numbers,
    documents,
    floats,
    geometries,
    integers,
    labelled,
    temporal_values,
    texts,
    vectors,
)
from replfix.core.columns.column_type import Answer, ColumnType
from replfix.core.rows.row_values import Value
from replfix.core.schema.table import Column

COLUMN_TYPES: tuple[ColumnType, ...] = (
    *integers.TYPES,
    *bits.TYPES,
    *decimal_numbers.TYPES,
    *floats.TYPES,
    *temporal_values.TYPES,
    *labelled.TYPES,
    *texts.TYPES,
    *byte_strings.TYPES,
    *documents.TYPES,
    *geometries.TYPES,
    *vectors.TYPES,
    *addresses.TYPES,
)
_BY_NAME = {name: type_ for type_ in COLUMN_TYPES for name in type_.names}


def _not_read(_: Answer) -> Value:
    raise ValueError("it is of a type that replfix does not read")


NOT_READ = ColumnType((), _not_read)
"""Of a column whose type replfix does not read: nothing special is known of it."""


def type_of(column: Column) -> ColumnType:
    """Return the type of a column; ``NOT_READ`` for one that replfix does not read."""
    return _BY_NAME.get(column.data_type, NOT_READ)


def select_form(column: Column) -> str:
    """Return a template with ``{}`` for the quoted column: ``select_form(c).format(quoted)`` goes into the select list."""
    return type_of(column).select
