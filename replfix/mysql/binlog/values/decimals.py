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
    """Return the number of digits in each group: the incomplete one comes first before the point, and last after it."""
    whole, first = divmod(precision - scale, 9)
    behind, last = divmod(scale, 9)
    return tuple(digits for digits in (first, *(9,) * whole, *(9,) * behind, last) if digits)


def reader(precision: int, scale: int) -> Callable[[bytes], Decimal]:
    """Return the function from packed bytes to the value, with its scale; :class:`Unreadable` for invalid bytes."""
    sizes = groups(precision, scale)
    widths = [8 * BYTES_OF_DIGITS[digits] for digits in sizes]
    bits = sum(widths)
    sign, all_bits = 1 << bits - 1, (1 << bits) - 1
    # From the last group on: how far it is moved, which bits are its own, its limit, and its weight.
    steps = [
        (sum(widths[n + 1 :]), (1 << widths[n]) - 1, 10**digits, 10 ** sum(sizes[n + 1 :]))
        for n, digits in enumerate(sizes)
    ][::-1]
    (_, low_bits, low_limit, _), *higher = steps

    def value(raw: bytes) -> Decimal:
        packed = int.from_bytes(raw, "big") ^ sign
        prefix = ""
        if packed & sign:
            packed ^= all_bits
            prefix = "-"
        number = packed & low_bits
        sound = number < low_limit
        for shift, mask, limit, worth in higher:
            group = packed >> shift & mask
            sound = sound and group < limit
            number += group * worth
        if not sound:
            raise Unreadable(f"A DECIMAL({precision},{scale}) is damaged: 0x{raw.hex()}.")
        # Made of a text, it is exact: no context rounds it to 28 digits.
        return Decimal(f"{prefix}{number}E-{scale}")

    return value
