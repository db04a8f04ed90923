"""FLOAT and DOUBLE in row events."""

from __future__ import annotations

import struct

from pymysqlreplication.constants import FIELD_TYPE

from replfix.mysql.binlog.columns.encoding import Encoding
from replfix.mysql.binlog.columns.event_type import EventType, Make
from replfix.mysql.binlog.values import decoders

EVENT_TYPES = (
    EventType(FIELD_TYPE.FLOAT, ("float",), lambda _: decoders.FLOAT, 1, signed=True),
    EventType(FIELD_TYPE.DOUBLE, ("double",), lambda _: decoders.DOUBLE, 1, signed=True),
)
ENCODINGS: dict[str, Make] = {
    "float": lambda *_: Encoding(FIELD_TYPE.FLOAT, b"\4", struct.Struct("<f").pack),
    "double": lambda *_: Encoding(FIELD_TYPE.DOUBLE, b"\10", struct.Struct("<d").pack),
}
