"""DATE, TIME, DATETIME and TIMESTAMP as the binary log packs them, as texts.

The formats of 5.6.4 and later, and the two older ones, which MariaDB still has. Source: MySQL internals manual, "Date
and Time Data Type Representation"; sql-common/my_time.cc; MariaDB sql/field.cc.
"""

from __future__ import annotations

import datetime as calendar
from collections.abc import Callable
from functools import lru_cache

from replfix.errors import Unreadable

Read = Callable[[bytes], str]
"""The packed bytes to their text; :class:`Unreadable` for what no server writes."""

ZERO = "0000-00-00"
_EPOCH = calendar.date(1970, 1, 1).toordinal()
_TWO = tuple(f"{number:02d}" for number in range(64))


def fraction_size(digits: int) -> int:
    """Return how many bytes the digits after the point take."""
    return (digits + 1) // 2


def fraction(digits: int) -> Callable[[int], str]:
    """Return ``.n digits`` for a stored fraction, which has an even number of digits; empty without digits."""
    if not digits:
        return lambda _: ""
    width = 2 * fraction_size(digits)
    limit, form, end = 10**width, f".%0{width}d", digits + 1

    def text(value: int) -> str:
        if value >= limit:
            raise Unreadable(f"A fraction of a second is out of range: {value}.")
        return (form % value)[:end]

    return text


@lru_cache(4096)
def date(raw: bytes) -> str:
    """Three bytes, little-endian."""
    packed = int.from_bytes(raw, "little")
    return f"{packed >> 9:04d}-{packed >> 5 & 15:02d}-{packed & 31:02d}"


# Rows next to each other in a log are often of the same minute.


@lru_cache(4096)
def _minute(packed: int) -> str:
    """Return the upper bits of a DATETIME, from the minute on."""
    year, month = divmod(packed >> 16, 13)
    return f"{year:04d}-{month:02d}-{packed >> 11 & 31:02d} {packed >> 6 & 31:02d}:{packed & 63:02d}:"


@lru_cache(4096)
def _minute_of_epoch(minutes: int) -> str:
    """Minutes since 1970."""
    days, rest = divmod(minutes, 1440)
    return f"{calendar.date.fromordinal(_EPOCH + days).isoformat()} {rest // 60:02d}:{rest % 60:02d}:"


def datetime(digits: int) -> Read:
    """5 bytes and those of the fraction, big-endian."""
    bits = 8 * fraction_size(digits)
    mask = (1 << bits) - 1
    part = fraction(digits)

    def read(raw: bytes) -> str:
        packed = int.from_bytes(raw, "big")
        whole = (packed >> bits) - 0x8000000000
        if whole < 0:
            raise Unreadable("A DATETIME is out of range.")
        text = _minute(whole >> 6) + _TWO[whole & 63]
        return text + part(packed & mask) if digits else text

    return read


def timestamp(digits: int) -> Read:
    """Read 4 bytes and those of the fraction, big-endian. In UTC; second zero is the zero date."""
    bits = 8 * fraction_size(digits)
    mask = (1 << bits) - 1
    part = fraction(digits)

    def read(raw: bytes) -> str:
        packed = int.from_bytes(raw, "big")
        text = utc(packed >> bits)
        return text + part(packed & mask) if digits else text

    return read


def utc(seconds: int) -> str:
    """Seconds since 1970 as a TIMESTAMP is shown; zero is the zero date."""
    if not seconds:
        return f"{ZERO} 00:00:00"
    return _minute_of_epoch(seconds // 60) + _TWO[seconds % 60]


def time_of_day(digits: int) -> Read:
    """Read 3 bytes and those of the fraction, big-endian.

    One number with an offset, so negative times are its negative in full, fraction included.
    """
    bits = 8 * fraction_size(digits)
    mask = (1 << bits) - 1
    zero = 0x800000 << bits
    part = fraction(digits)

    def read(raw: bytes) -> str:
        signed = int.from_bytes(raw, "big") - zero
        magnitude = abs(signed)
        whole = magnitude >> bits
        return f"{'-' if signed < 0 else ''}{whole >> 12 & 0x3FF:02d}:{whole >> 6 & 63:02d}:{whole & 63:02d}" + part(
            magnitude & mask
        )

    return read


# --- the format of 5.5: decimal digits in an integer ---


def old_time(raw: bytes) -> str:
    """Three bytes, little-endian: HHMMSS, negative as a whole."""
    signed = int.from_bytes(raw, "little", signed=True)
    whole = abs(signed)
    return f"{'-' if signed < 0 else ''}{whole // 10000:02d}:{whole // 100 % 100:02d}:{whole % 100:02d}"


def old_datetime(packed: int) -> str:
    """YYYYMMDDHHMMSS."""
    if packed > 99991231235959:
        raise Unreadable("A DATETIME is out of range.")
    digits = f"{packed:014d}"
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]} {digits[8:10]}:{digits[10:12]}:{digits[12:]}"


# --- MariaDB's of 5.3: one number in units of the last digit, big-endian ---


def _split(number: int, *units: int) -> list[int]:
    """Return the digits in mixed units, from the smallest unit on."""
    found = []
    for unit in units:
        number, rest = divmod(number, unit)
        found.append(rest)
    return [*found, number]


def hires_time(digits: int) -> Read:
    """Return the reader of MariaDB's older TIME with digits of a second."""
    zero = 3020400 * 10**digits  # 839 hours

    def read(raw: bytes) -> str:
        signed = int.from_bytes(raw, "big") - zero
        part, second, minute, hour = _split(abs(signed), 10**digits, 60, 60)
        return f"{'-' if signed < 0 else ''}{hour:02d}:{minute:02d}:{second:02d}.{part:0{digits}d}"

    return read


def hires_datetime(digits: int) -> Read:
    """Return the reader of MariaDB's older DATETIME with digits of a second."""

    def read(raw: bytes) -> str:
        packed = int.from_bytes(raw, "big")
        part, second, minute, hour, day, month, year = _split(packed, 10**digits, 60, 60, 24, 32, 13)
        return f"{year:04d}-{month:02d}-{day:02d} {hour:02d}:{minute:02d}:{second:02d}.{part:0{digits}d}"

    return read


def hires_timestamp(digits: int) -> Read:
    """Return the reader of MariaDB's older TIMESTAMP with digits of a second."""

    def read(raw: bytes) -> str:
        return f"{utc(int.from_bytes(raw[:4], 'big'))}.{int.from_bytes(raw[4:], 'big'):0{digits}d}"

    return read
