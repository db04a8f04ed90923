"""One closure for each column, made once per table map: it takes the row's bytes and a position, and returns the
value and the position behind it.

They do not look for the end of the bytes: the caller checks once per row that the position did not run past it.
Values are those of :mod:`replfix.core.values`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.json_text import dump
from replfix.core.values import Json, Value
from replfix.errors import Unreadable
from replfix.mysql.binlog import decimals, json_binary, temporal
from replfix.mysql.binlog.table_map import VECTOR
from replfix.mysql.charsets import Decoder

Decode = Callable[[bytes, int], tuple[Value, int]]

_INTEGER_WIDTH = {
    FIELD_TYPE.TINY: 1,
    FIELD_TYPE.SHORT: 2,
    FIELD_TYPE.INT24: 3,
    FIELD_TYPE.LONG: 4,
    FIELD_TYPE.LONGLONG: 8,
}
_REFUSED = {
    FIELD_TYPE.GEOMETRY: "GEOMETRY",
    VECTOR: "VECTOR",
    FIELD_TYPE.TIME: "TIME in the format of MySQL 5.5",
    FIELD_TYPE.DATETIME: "DATETIME in the format of MySQL 5.5",
    FIELD_TYPE.TIMESTAMP: "TIMESTAMP in the format of MySQL 5.5",
}


def refused_type(type_: int) -> str | None:
    """The name of a column type that is known and not read, None for one that is read."""
    return _REFUSED.get(type_)


def integer(type_: int, unsigned: bool) -> Decode:
    width = _INTEGER_WIDTH[type_]
    signed = not unsigned

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        end = at + width
        return int.from_bytes(data[at:end], "little", signed=signed), end

    return decode


def text(metadata: int, decode_text: Decoder) -> Decode:
    """VARCHAR: ``metadata`` is the greatest length in bytes."""
    prefix = 1 if metadata < 256 else 2

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        start = at + prefix
        end = start + int.from_bytes(data[at:start], "little")
        return decode_text(_whole(data, start, end)), end

    return decode


def char(metadata: int, decode_text: Decoder) -> Decode:
    """CHAR: the server cuts trailing spaces when it returns the value; most of them it does not log either."""
    inner = text(metadata, decode_text)

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        value, end = inner(data, at)
        assert isinstance(value, str)
        return value.rstrip(" "), end

    return decode


def varbinary(metadata: int) -> Decode:
    prefix = 1 if metadata < 256 else 2

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        start = at + prefix
        end = start + int.from_bytes(data[at:start], "little")
        return data[start:end], end

    return decode


def binary(length: int) -> Decode:
    """BINARY: its trailing zero bytes are not logged."""
    inner = varbinary(length)

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        value, end = inner(data, at)
        assert isinstance(value, bytes)
        return value.ljust(length, b"\0"), end

    return decode


def blob(prefix: int, decode_text: Decoder | None) -> Decode:
    """BLOB and TEXT: ``prefix`` bytes of length before the value."""

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        start = at + prefix
        end = start + int.from_bytes(data[at:start], "little")
        raw = _whole(data, start, end)
        return (raw if decode_text is None else decode_text(raw)), end

    return decode


def json(prefix: int) -> Decode:
    def decode(data: bytes, at: int) -> tuple[Value, int]:
        start = at + prefix
        end = start + int.from_bytes(data[at:start], "little")
        return Json(dump(json_binary.parse(_whole(data, start, end)))), end

    return decode


def enum(width: int, labels: Sequence[str]) -> Decode:
    def decode(data: bytes, at: int) -> tuple[Value, int]:
        end = at + width
        index = int.from_bytes(data[at:end], "little")
        if index > len(labels):
            raise Unreadable(f"An ENUM holds label {index} of {len(labels)}: its definition has changed since.")
        return (labels[index - 1] if index else ""), end

    return decode


def set_(width: int, labels: Sequence[str]) -> Decode:
    def decode(data: bytes, at: int) -> tuple[Value, int]:
        end = at + width
        bits = int.from_bytes(data[at:end], "little")
        if bits >> len(labels):
            raise Unreadable(f"A SET holds more than its {len(labels)} labels: its definition has changed since.")
        return ",".join(label for index, label in enumerate(labels) if bits >> index & 1), end

    return decode


def bit(metadata: int) -> Decode:
    """``metadata``: whole bytes in the upper byte, the bits beyond them in the lower."""
    width = (metadata >> 8) + (1 if metadata & 0xFF else 0)

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        end = at + width
        return int.from_bytes(data[at:end], "big"), end

    return decode


def decimal(metadata: int) -> Decode:
    precision, scale = metadata >> 8, metadata & 0xFF
    if not 1 <= precision <= 65 or scale > min(precision, 30):
        raise Unreadable(f"A Table_map event has a DECIMAL({precision},{scale}).")
    width = decimals.size(precision, scale)

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        end = at + width
        return decimals.value(_whole(data, at, end), precision, scale), end

    return decode


def floating(form: str) -> Decode:
    packing = struct.Struct(form)
    width = packing.size

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        return packing.unpack_from(data, at)[0], at + width

    return decode


def year(data: bytes, at: int) -> tuple[Value, int]:
    value = data[at]
    return (1900 + value if value else 0), at + 1


def date(data: bytes, at: int) -> tuple[Value, int]:
    end = at + 3
    return temporal.date(int.from_bytes(data[at:end], "little")), end


def _packed(render: Callable[[int, int], str], whole: int, digits: int) -> Decode:
    if digits > 6:
        raise Unreadable(f"A Table_map event has a temporal column with {digits} digits of a second.")
    width = whole + temporal.fraction_size(digits)

    def decode(data: bytes, at: int) -> tuple[Value, int]:
        end = at + width
        return render(int.from_bytes(_whole(data, at, end), "big"), digits), end

    return decode


def datetime(digits: int) -> Decode:
    return _packed(temporal.datetime, 5, digits)


def time_of_day(digits: int) -> Decode:
    return _packed(temporal.time_of_day, 3, digits)


def timestamp(digits: int) -> Decode:
    return _packed(temporal.timestamp, 4, digits)


def _whole(data: bytes, start: int, end: int) -> bytes:
    """A slice that must not be cut short, for readers that would stumble over half a value."""
    if end > len(data):
        raise Unreadable("A row ends in the middle of a value.")
    return data[start:end]
