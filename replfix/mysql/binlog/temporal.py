"""DATE, TIME, DATETIME and TIMESTAMP as the binary log packs them (the formats of 5.6.4 and later), as texts.

Source: MySQL internals manual, "Date and Time Data Type Representation"; sql-common/my_time.cc.
"""

from __future__ import annotations

import time

from replfix.errors import Unreadable


def fraction_size(digits: int) -> int:
    """Bytes that the digits behind the point take."""
    return (digits + 1) // 2


def fraction(value: int, digits: int) -> str:
    """``.n digits``, or nothing. The value is stored with an even number of digits."""
    if not digits:
        return ""
    width = 2 * fraction_size(digits)
    if value >= 10**width:
        raise Unreadable(f"A fraction of a second is out of range: {value}.")
    return "." + f"{value:0{width}d}"[:digits]


def date(packed: int) -> str:
    return f"{packed >> 9:04d}-{packed >> 5 & 15:02d}-{packed & 31:02d}"


def datetime(packed: int, digits: int) -> str:
    """``packed``: 5 bytes and those of the fraction, big-endian."""
    bits = 8 * fraction_size(digits)
    whole = (packed >> bits) - 0x8000000000
    if whole < 0:
        raise Unreadable("A DATETIME is out of range.")
    year, month = divmod(whole >> 22, 13)
    return (
        f"{year:04d}-{month:02d}-{whole >> 17 & 31:02d} {whole >> 12 & 31:02d}:{whole >> 6 & 63:02d}:{whole & 63:02d}"
        + fraction(packed & (1 << bits) - 1, digits)
    )


def timestamp(packed: int, digits: int) -> str:
    """``packed``: 4 bytes and those of the fraction, big-endian. In UTC; second zero stands for the zero date."""
    bits = 8 * fraction_size(digits)
    seconds = packed >> bits
    whole = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds)) if seconds else "0000-00-00 00:00:00"
    return whole + fraction(packed & (1 << bits) - 1, digits)


def time_of_day(packed: int, digits: int) -> str:
    """``packed``: 3 bytes and those of the fraction, big-endian, one number with an offset, so negative times
    are its negative in full, fraction included."""
    bits = 8 * fraction_size(digits)
    signed = packed - (0x800000 << bits)
    magnitude = abs(signed)
    whole = magnitude >> bits
    return f"{'-' if signed < 0 else ''}{whole >> 12 & 0x3FF:02d}:{whole >> 6 & 63:02d}:{whole & 63:02d}" + fraction(
        magnitude & (1 << bits) - 1, digits
    )
