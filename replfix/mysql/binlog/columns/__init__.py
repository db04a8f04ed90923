"""Column types in row events: one file a family. A new family is listed here.

What the rest has to know of a type is in ``core/columns/``.
"""

from __future__ import annotations

from collections.abc import Mapping

from replfix.core.schema.table import Column
from replfix.core.words import help_on
from replfix.errors import Unreadable
from replfix.mysql.binlog.columns import (
    bit_events,
    decimal_events,
    document_events,
    float_events,
    geometry_events,
    integer_events,
    label_events,
    string_events,
    temporal_events,
    vector_events,
)
from replfix.mysql.binlog.columns.encoding import Encoding, otherwise_stored
from replfix.mysql.binlog.columns.event_type import EventType, Make

_FAMILIES = (
    integer_events,
    float_events,
    decimal_events,
    bit_events,
    temporal_events,
    string_events,
    label_events,
    document_events,
    vector_events,
    geometry_events,
)
EVENT_TYPES: Mapping[int, EventType] = {type_.number: type_ for family in _FAMILIES for type_ in family.EVENT_TYPES}
_ENCODINGS: Mapping[str, Make] = {name: make for family in _FAMILIES for name, make in family.ENCODINGS.items()}


def may_be(column: Column, number: int) -> bool:
    """Return whether a column of that definition is logged as the type of that number."""
    type_ = EVENT_TYPES.get(number)
    return type_ is not None and column.data_type in type_.names


def encoding(column: Column, *, mariadb: bool = False) -> Encoding:
    """Return how a server of today logs the column; Unreadable for a type or a character set that replfix does not write."""
    make = None if otherwise_stored(column) else _ENCODINGS.get(column.data_type)
    if make is None:
        raise Unreadable(
            f"Column {column.name!r} has the type {column.column_type}, of which replfix writes no row events.",
            f"The types that replfix reads and writes are listed in {help_on('values')}.",
        )
    return make(column, mariadb)
