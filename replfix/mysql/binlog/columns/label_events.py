"""ENUM and SET in row events: the numbers of their labels."""

from __future__ import annotations

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.schema.table import Column
from replfix.mysql.binlog.columns.encoding import Encoding
from replfix.mysql.binlog.columns.event_type import EventType, Make
from replfix.mysql.binlog.values import decoders


def _enum(column: Column, _: bool) -> Encoding:
    width = 1 if len(column.labels) < 256 else 2
    # The label '' wins over the error value 0, which looks the same.
    numbers = {"": 0} | {label: number for number, label in enumerate(column.labels, 1)}
    return Encoding(
        FIELD_TYPE.STRING, bytes([FIELD_TYPE.ENUM, width]), lambda value: numbers[value].to_bytes(width, "little")
    )


def _set(column: Column, _: bool) -> Encoding:
    count = len(column.labels)
    width = next(w for w in (1, 2, 3, 4, 8) if count <= 8 * w)
    bits = {label: 1 << number for number, label in enumerate(column.labels)}

    def encode(value: str) -> bytes:
        return sum(bits[label] for label in value.split(",") if value).to_bytes(width, "little")

    return Encoding(FIELD_TYPE.STRING, bytes([FIELD_TYPE.SET, width]), encode)


EVENT_TYPES = (
    EventType(
        FIELD_TYPE.ENUM, ("enum",), lambda column: decoders.enum(column.metadata, column.labels()), 2, labelled=True
    ),
    EventType(
        FIELD_TYPE.SET, ("set",), lambda column: decoders.set_(column.metadata, column.labels()), 2, labelled=True
    ),
)
ENCODINGS: dict[str, Make] = {"enum": _enum, "set": _set}
