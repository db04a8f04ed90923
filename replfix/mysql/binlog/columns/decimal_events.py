"""DECIMAL in row events."""

from __future__ import annotations

from decimal import Decimal

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.schema.table import Column
from replfix.mysql.binlog.columns.encoding import Encoding, arguments
from replfix.mysql.binlog.columns.event_type import EventType, Make
from replfix.mysql.binlog.values import decoders, packing


def _encoding(column: Column, _: bool) -> Encoding:
    precision, scale = arguments(column, 10, 0)

    def encode(value: Decimal) -> bytes:
        return packing.decimal(value, precision, scale)

    return Encoding(FIELD_TYPE.NEWDECIMAL, bytes([precision, scale]), encode)


EVENT_TYPES = (
    EventType(FIELD_TYPE.NEWDECIMAL, ("decimal",), lambda column: decoders.decimal(column.metadata), 2, signed=True),
)
ENCODINGS: dict[str, Make] = {"decimal": _encoding}
