"""MariaDB's GTIDs, ``domain-server-sequence``, as sets with the algebra of MySQL's.

MariaDB writes no sets: a state (``gtid_binlog_state``) or a position (``gtid_current_pos``) names the newest transaction of
each origin, ``0-1-5,0-2-7``. Read as a set it holds the numbers from 1 to that one. Numbers count per domain, so some of
them may belong to another server or to nobody: what is *in* such a set may never have existed, what is not in it is newer.

Source: MariaDB knowledge base, "Global Transaction ID".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from replfix.core.gtid import GtidSet, Interval, Origin

_GTID = re.compile(r"([0-9]{1,10})-([0-9]{1,10})-([0-9]{1,20})\Z")


@dataclass(frozen=True, slots=True)
class MariadbGtidSet(GtidSet):
    """An origin is the domain and the server_id, both as text."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a state or a position; of two entries with one origin the newer counts. ValueError on anything else."""
        found: dict[Origin, tuple[Interval, ...]] = {}
        for part in text.replace("\n", "").replace(" ", "").split(","):
            if part:
                origin, number = split(part)
                newest = max(number, *(last for _, last in found.get(origin, ())), 0)
                found[origin] = ((1, newest),) if newest else ()
        return cls._of(found)

    def __contains__(self, gtid: str) -> bool:
        origin, number = split(gtid)
        return any(first <= number <= last for o, i in self.intervals if o == origin for first, last in i)

    def newest_first(self) -> Iterator[str]:
        for (domain, server), intervals in self.intervals:
            for first, last in reversed(intervals):
                yield from (f"{domain}-{server}-{number}" for number in range(last, first - 1, -1))

    def __str__(self) -> str:
        """The newest of each origin, as the server writes a state; of a difference: the range, ``0-2-3…7``."""
        parts = []
        for (domain, server), intervals in self.intervals:
            for first, last in intervals:
                number = str(last) if first in (1, last) else f"{first}…{last}"
                parts.append(f"{domain}-{server}-{number}")
        return ",".join(parts)


def split(gtid: str) -> tuple[Origin, int]:
    """``0-1-5`` as (("0", "1"), 5); ValueError on anything else."""
    found = _GTID.match(gtid)
    if not found:
        raise ValueError(f"not a MariaDB GTID: {gtid[:80]!r}")
    return (found[1], found[2]), int(found[3])
