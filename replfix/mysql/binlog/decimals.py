"""DECIMAL as the server packs it: groups of nine digits in four bytes, big-endian, the sign in the first bit.

Source: strings/decimal.cc, ``decimal2bin``.
"""

from __future__ import annotations

from decimal import Context, Decimal

from replfix.errors import Unreadable

_BYTES_OF_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
# The largest DECIMAL has 65 digits; the default context would round to 28.
_CONTEXT = Context(prec=65)


def size(precision: int, scale: int) -> int:
    """Bytes of a DECIMAL(precision, scale)."""
    whole, rest = divmod(precision - scale, 9)
    groups, last = divmod(scale, 9)
    return 4 * (whole + groups) + _BYTES_OF_DIGITS[rest] + _BYTES_OF_DIGITS[last]


def text(raw: bytes, precision: int, scale: int) -> str:
    """The digits with exactly ``scale`` of them behind the point, as the server prints them."""
    negative = not raw[0] & 0x80
    flipped = bytes(byte ^ 0xFF for byte in raw) if negative else raw
    data = bytes([flipped[0] ^ 0x80]) + flipped[1:]
    at = 0

    def digits(count: int) -> str:
        nonlocal at
        if not count:
            return ""
        width = _BYTES_OF_DIGITS[count]
        value = int.from_bytes(data[at : at + width], "big")
        at += width
        if value >= 10**count:
            raise Unreadable(f"A DECIMAL({precision},{scale}) is damaged: 0x{raw.hex()}.")
        return f"{value:0{count}d}"

    groups, rest = divmod(precision - scale, 9)
    whole = digits(rest) + "".join(digits(9) for _ in range(groups))
    groups, rest = divmod(scale, 9)
    behind = "".join(digits(9) for _ in range(groups)) + digits(rest)
    return ("-" if negative else "") + (whole.lstrip("0") or "0") + ("." + behind if behind else "")


def value(raw: bytes, precision: int, scale: int) -> Decimal:
    return _CONTEXT.create_decimal(text(raw, precision, scale))
