"""The ways to divide a printed value for a key of several columns: the server joins them with ``-``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, islice, pairwise

from replfix.core.columns.key_probe import UNPRINTED

JOINED_BY = {"mysql": "-", "postgresql": ", "}
MOST = 64
"""Readings that are tried; a value with many dashes in a key of many columns has more than anybody wants to see."""


def readings(value: str, parts: int, joined_by: str = "-") -> tuple[tuple[str, ...], ...]:
    """Return every way to divide ``value`` into ``parts`` pieces, at most ``MOST``; none when it cannot be done."""
    return tuple(islice(_readings(value, parts, joined_by), MOST))


def ambiguous(value: str, parts: int, joined_by: str = "-") -> bool:
    """Return whether the value can be divided in more than one way."""
    return parts > 1 and value.count(joined_by) > parts - 1


def _readings(value: str, parts: int, joined_by: str) -> Iterator[tuple[str, ...]]:
    places: list[int] = []
    at = value.find(joined_by)
    while at >= 0:
        places.append(at)
        at = value.find(joined_by, at + 1)
    width = len(joined_by)
    for chosen in combinations(places, parts - 1):
        if any(b - a < width for a, b in pairwise(chosen)):
            continue
        begins = [0, *(at + width for at in chosen)]
        ends = [*chosen, len(value)]
        yield tuple(value[begin:end] for begin, end in zip(begins, ends, strict=True))


def unprinted(value: str) -> bool:
    """Whether a character of the value may be another one than the message shows."""
    return any(character in value for character in UNPRINTED)


def fits(printed: str, value: str, *, cut: bool = False) -> bool:
    """Whether ``value`` can be what the server printed so: letters of either case, and any character for one it cannot print."""
    if not unprinted(printed):
        printed, value = printed.casefold(), value.casefold()
        return value.startswith(printed) if cut else value == printed
    pattern = _pattern(printed.casefold())
    return (pattern.match(value.casefold()) if cut else pattern.fullmatch(value.casefold())) is not None


@lru_cache(maxsize=64)
def _pattern(printed: str) -> re.Pattern[str]:
    pieces = (
        "." if character == "?" else ".{1,3}" if character in UNPRINTED else re.escape(character)
        for character in printed
    )
    return re.compile("".join(pieces), re.DOTALL)
