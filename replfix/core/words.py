"""Numbers in sentences, and sentences that are said at several places."""

from __future__ import annotations

CANCELLED = "Cancelled. Nothing was changed."


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 row``, ``2 rows``; a noun whose plural is not made with an s gives it."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


SHOWN = 5


def shortened(sentences: tuple[str, ...], noun: str) -> tuple[str, ...]:
    """Return the first few, each once, and how many more there are."""
    each = tuple(dict.fromkeys(sentences))
    more = (f"… and {counted(len(each) - SHOWN, f'more {noun}')}.",) if len(each) > SHOWN else ()
    return each[:SHOWN] + more
