"""Pack decimals, dates and times as they are in the binary log: the inverse of ``decimals`` and ``temporal``.

Each function raises ValueError for a text that is no value of the type.
"""

from __future__ import annotations

import datetime as calendar
import re
from collections.abc import Callable
from decimal import Decimal

from pymysqlreplication.constants import FIELD_TYPE

from replfix.mysql.binlog.values import decimals
from replfix.mysql.binlog.values.temporal import fraction_size

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)\Z")
_CLOCK = re.compile(r"(-?)(\d{2,3}):(\d\d):(\d\d)(?:\.(\d{1,6}))?\Z")
_EPOCH = calendar.datetime(1970, 1, 1, tzinfo=calendar.UTC)


def decimal(number: Decimal, precision: int, scale: int) -> bytes:
    """Pack a DECIMAL; ``number`` has at most ``precision`` digits, ``scale`` of them after the point."""
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or -exponent > scale:
        raise ValueError(f"{number} is no DECIMAL({precision},{scale})")
    text = "".join(map(str, digits)) + "0" * (exponent + scale)
    if len(text.lstrip("0")) > precision:
        raise ValueError(f"{number} is no DECIMAL({precision},{scale})")
    text, packed = text[-precision:].rjust(precision, "0"), b""
    for count in decimals.groups(precision, scale):
        packed += int(text[:count]).to_bytes(decimals.BYTES_OF_DIGITS[count], "big")
        text = text[count:]
    if sign:
        packed = bytes(byte ^ 0xFF for byte in packed)
    return bytes([packed[0] ^ 0x80]) + packed[1:]


def date(text: str) -> bytes:
    """Pack a DATE."""
    year, month, day = _day(text)
    return (year << 9 | month << 5 | day).to_bytes(3, "little")


def datetime(digits: int) -> Callable[[str], bytes]:
    """Return the function that packs a DATETIME."""

    def pack(text: str) -> bytes:
        whole, micro = _moment(text)
        return (whole + 0x8000000000).to_bytes(5, "big") + _fraction(micro, digits)

    return pack


def timestamp(digits: int) -> Callable[[str], bytes]:
    """Return the function that packs a TIMESTAMP; the text is in UTC."""

    def pack(text: str) -> bytes:
        day, _, clock = text.partition(" ")
        if day == "0000-00-00":
            return b"\0\0\0\0" + _fraction(0, digits)
        _, hour, minute, second, micro = _clock(clock)
        at = calendar.datetime(*_day(day), hour, minute, second, tzinfo=calendar.UTC)
        return int((at - _EPOCH).total_seconds()).to_bytes(4, "big") + _fraction(micro, digits)

    return pack


def time_of_day(digits: int) -> Callable[[str], bytes]:
    """Return the function that packs a TIME."""
    size = fraction_size(digits)

    def pack(text: str) -> bytes:
        sign, hour, minute, second, micro = _clock(text)
        magnitude = (hour << 12 | minute << 6 | second) << 8 * size | int.from_bytes(_fraction(micro, digits), "big")
        return ((0x800000 << 8 * size) + sign * magnitude).to_bytes(3 + size, "big")

    return pack


def json_temporal(field_type: int, text: str) -> int:
    """Pack a date or time inside a JSON document: 24 bits of microseconds below the fields, negative as a whole."""
    if field_type == FIELD_TYPE.TIME:
        sign, hour, minute, second, micro = _clock(text)
        return sign * ((hour << 12 | minute << 6 | second) << 24 | micro)
    if field_type == FIELD_TYPE.DATE:
        text += " 00:00:00"
    whole, micro = _moment(text)
    return whole << 24 | micro


def _day(text: str) -> tuple[int, int, int]:
    match = _DATE.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no date")
    return int(match[1]), int(match[2]), int(match[3])


def _clock(text: str) -> tuple[int, int, int, int, int]:
    """Sign, hours, minutes, seconds, microseconds."""
    match = _CLOCK.match(text)
    if match is None:
        raise ValueError(f"{text!r} is no time")
    return -1 if match[1] else 1, int(match[2]), int(match[3]), int(match[4]), int((match[5] or "0").ljust(6, "0"))


def _moment(text: str) -> tuple[int, int]:
    """Return the fields of a DATETIME in one number, and its microseconds."""
    day, _, clock = text.partition(" ")
    year, month, of_month = _day(day)
    _, hour, minute, second, micro = _clock(clock)
    return ((year * 13 + month) << 5 | of_month) << 17 | hour << 12 | minute << 6 | second, micro


def _fraction(micro: int, digits: int) -> bytes:
    size = fraction_size(digits)
    stored: int = micro // 10 ** (6 - 2 * size)
    return stored.to_bytes(size, "big")
