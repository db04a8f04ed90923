"""Exit codes of several results together."""

from __future__ import annotations

from collections.abc import Iterable

WORST_FIRST = (5, 1, 6, 3, 4, 2, 0)


def worst(codes: Iterable[int]) -> int:
    """Return the code that counts; 0 of none."""
    return min(codes, key=WORST_FIRST.index, default=0)
