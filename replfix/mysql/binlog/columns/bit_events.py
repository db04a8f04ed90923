"""BIT in row events."""

from __future__ import annotations

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.schema.table import Column
from replfix.mysql.binlog.columns.encoding import Encoding, arguments
from replfix.mysql.binlog.columns.event_type import EventType, Make
from replfix.mysql.binlog.values import decoders


def _encoding(column: Column, _: bool) -> Encoding:
    bits = arguments(column, 1, 0)[0]
    width = (bits + 7) // 8
    return Encoding(FIELD_TYPE.BIT, bytes([bits % 8, bits // 8]), lambda value: value.to_bytes(width, "big"))


EVENT_TYPES = (EventType(FIELD_TYPE.BIT, ("bit",), lambda column: decoders.bit(column.metadata), 2),)
ENCODINGS: dict[str, Make] = {"bit": _encoding}
