"""TINYINT to BIGINT, and YEAR, in row events."""

from __future__ import annotations

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.schema.table import Column
from replfix.mysql.binlog.columns.encoding import Encoding
from replfix.mysql.binlog.columns.event_type import Described, EventType, Make
from replfix.mysql.binlog.values import decoders
from replfix.mysql.binlog.values.images import Form

_WIDTHS = {
    "tinyint": (FIELD_TYPE.TINY, 1),
    "smallint": (FIELD_TYPE.SHORT, 2),
    "mediumint": (FIELD_TYPE.INT24, 3),
    "int": (FIELD_TYPE.LONG, 4),
    "bigint": (FIELD_TYPE.LONGLONG, 8),
}


def _integer(number: int, name: str) -> EventType:
    def form(column: Described) -> Form:
        return decoders.integer(number, column.unsigned())

    return EventType(number, (name,), form, signed=True, by_sign=True)


def _encoding(column: Column, _: bool) -> Encoding:
    type_, width = _WIDTHS[column.data_type]
    signed = not column.unsigned
    return Encoding(type_, b"", lambda value: value.to_bytes(width, "little", signed=signed))


def _year(_: Column, __: bool) -> Encoding:
    return Encoding(FIELD_TYPE.YEAR, b"", lambda value: bytes([value - 1900 if value else 0]))


EVENT_TYPES = (
    *(_integer(number, name) for name, (number, _) in _WIDTHS.items()),
    EventType(FIELD_TYPE.YEAR, ("year",), lambda _: decoders.YEAR, signed=True),
)
ENCODINGS: dict[str, Make] = {**dict.fromkeys(_WIDTHS, _encoding), "year": _year}
