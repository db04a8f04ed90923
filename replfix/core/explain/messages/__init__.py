"""The messages of servers that mean a duplicate key: one family a file, found by the server's own words.

A new one is listed here: of two that find the same place in a text the first has it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Protocol

from replfix.core.explain.hit import Hit
from replfix.core.explain.messages import (
    applier_errors,
    mysql_duplicate,
    mysql_other_numbers,
    mysql_typographic,
    postgresql_build,
    postgresql_conflict,
    postgresql_exclusion,
    postgresql_unique,
    prisma,
)


class MessageFamily(Protocol):
    """What the module of a family has to have. Its searches take linear time, whatever the text is."""

    NAME: str
    """For people: error numbers, or the words that begin it."""

    NEEDLES: tuple[str, ...]
    """Every message of the family contains one of these: a log's reader looks for them first. Empty: not counted in logs."""

    def find(self, text: str, /) -> Iterator[Hit]:
        """Yield every message in the text, in order."""
        ...


MESSAGES: tuple[MessageFamily, ...] = (
    mysql_duplicate,
    mysql_typographic,
    mysql_other_numbers,
    postgresql_unique,
    postgresql_build,
    postgresql_exclusion,
    postgresql_conflict,
    prisma,
    applier_errors,
)

NEEDLES: tuple[str, ...] = tuple(dict.fromkeys(needle.strip() for family in MESSAGES for needle in family.NEEDLES))


def hits(text: str) -> list[Hit]:
    """Return every message in the text, in order; of two in the same place, that of the first family."""
    found: list[Hit] = []
    for family in MESSAGES:
        if family.NEEDLES and not any(needle in text for needle in family.NEEDLES):
            continue
        starts = [hit.start for hit in found]
        found += [hit for hit in family.find(text) if _free(hit, found, starts)]
        found.sort(key=lambda hit: hit.start)
    return found


def _free(hit: Hit, found: list[Hit], starts: list[int]) -> bool:
    at = bisect_left(starts, hit.end)
    return at == 0 or found[at - 1].end <= hit.start
