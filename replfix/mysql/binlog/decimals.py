"""DECIMAL as the server packs it: groups of nine digits in four bytes, big-endian, the sign in the first bit.

Source: strings/decimal.cc, ``decimal2bin``.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from replfix.errors import Unreadable

BYTES_OF_DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)


def size(precision: int, scale: int) -> int:
    """Bytes of a DECIMAL(precision, scale)."""
    return sum(BYTES_OF_DIGITS[digits] for digits in groups(precision, scale))


def groups(precision: int, scale: int) -> tuple[int, ...]:
    """Digits in each group: the incomplete one comes first before the point, and last behind it."""
    whole, first = divmod(precision - scale, 9)
    behind, last = divmod(scale, 9)
    return tuple(digits for digits in (first, *(9,) * whole, *(9,) * behind, last) if digits)


def reader(precision: int, scale: int) -> Callable[[bytes], Decimal]:
    """From the packed bytes to the value, with its scale; :class:`Unreadable` for what no server packs."""
    # From the last group on: how many bits to move, what to keep, and what the group stands for.
    steps = []
    power = 1
    bits = 0
    for digits in reversed(groups(precision, scale)):
        width = 8 * BYTES_OF_DIGITS[digits]
        steps.append((bits, (1 << width) - 1, 10**digits, power))
        power *= 10**digits
        bits += width
    sign, all_bits = 1 << bits - 1, (1 << bits) - 1

    def value(raw: bytes) -> Decimal:
        packed = int.from_bytes(raw, "big") ^ sign
        negative = packed & sign
        if negative:
            packed ^= all_bits
        number = 0
        for shift, mask, limit, worth in steps:
            group = packed >> shift & mask
            if group >= limit:
                raise Unreadable(f"A DECIMAL({precision},{scale}) is damaged: 0x{raw.hex()}.")
            number += group * worth
        # Made of a text, it is exact: no context rounds it to 28 digits.
        return Decimal(f"{'-' if negative else ''}{number}E-{scale}")

    return value
