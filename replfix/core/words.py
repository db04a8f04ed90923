"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 row``, ``2 rows``; a noun whose plural is not made with an s gives it."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
