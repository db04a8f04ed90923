"""DATE, TIME, DATETIME and TIMESTAMP in row events, also as before 5.6 and with MariaDB's mysql56_temporal_format=OFF."""

from __future__ import annotations

from collections.abc import Callable

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.schema.table import Column
from replfix.mysql.binlog.columns.encoding import Encode, Encoding
from replfix.mysql.binlog.columns.event_type import EventType, Make
from replfix.mysql.binlog.values import decoders, packing
from replfix.mysql.binlog.values.images import Form

_FRACTIONS: dict[str, tuple[int, Callable[[int], Encode]]] = {
    "time": (FIELD_TYPE.TIME2, packing.time_of_day),
    "datetime": (FIELD_TYPE.DATETIME2, packing.datetime),
    "timestamp": (FIELD_TYPE.TIMESTAMP2, packing.timestamp),
}


def _today(number: int, name: str, form: Callable[[int], Form]) -> EventType:
    return EventType(number, (name,), lambda column: form(column.metadata), 1)


def _old(number: int, name: str, form: Callable[[int], Form]) -> EventType:
    return EventType(number, (name,), lambda column: form(column.digits()), old=True)


def _fraction(column: Column, _: bool) -> Encoding:
    type_, packer = _FRACTIONS[column.data_type]
    digits = column.scale or 0
    return Encoding(type_, bytes([digits]), packer(digits))


EVENT_TYPES = (
    EventType(FIELD_TYPE.DATE, ("date",), lambda _: decoders.DATE),
    EventType(FIELD_TYPE.NEWDATE, ("date",), lambda _: decoders.DATE),
    _today(FIELD_TYPE.TIME2, "time", decoders.time_of_day),
    _today(FIELD_TYPE.DATETIME2, "datetime", decoders.datetime),
    _today(FIELD_TYPE.TIMESTAMP2, "timestamp", decoders.timestamp),
    _old(FIELD_TYPE.TIME, "time", decoders.old_time),
    _old(FIELD_TYPE.DATETIME, "datetime", decoders.old_datetime),
    _old(FIELD_TYPE.TIMESTAMP, "timestamp", decoders.old_timestamp),
)
ENCODINGS: dict[str, Make] = {
    **dict.fromkeys(_FRACTIONS, _fraction),
    "date": lambda *_: Encoding(FIELD_TYPE.DATE, b"", packing.date),
}
