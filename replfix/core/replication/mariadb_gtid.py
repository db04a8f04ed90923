"""MariaDB's GTIDs, ``domain-server-sequence``, as sets with the algebra of MySQL's.

MariaDB writes no sets: a state (``gtid_binlog_state``) or a position (``gtid_current_pos``) names the newest
transaction of each origin, ``0-1-5,0-2-7``. Read as a set it has the numbers from 1 to that one. Numbers count per
domain, so some of them may belong to another server or to nobody: what is *in* such a set may never have existed, what
is not in it is newer. Source: MariaDB knowledge base, "Global Transaction ID".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from replfix.core.replication.gtid import GtidSet, Interval, Origin

IDENTITY = "server_id "
"""The prefix of the number, where MySQL has a server_uuid. It is unique among the servers of a topology."""

_GTID = re.compile(r"([0-9]{1,10})-([0-9]{1,10})-([0-9]{1,20})\Z")


@dataclass(frozen=True, slots=True)
class MariadbGtidSet(GtidSet):
    """An origin is the domain and the server_id, both as text.

    ``positions`` has for a replica the last transaction that it applied of each domain. What another server wrote there under a
    lower number was mostly applied before it, which proves nothing: without strict mode (the default) a later transaction can
    have a lower number. So it is not *in* the set, and it is gone only from a backlog that is counted by numbers.

    ``logged``: what its binlog names of an origin beyond the position that it has of the same one: the server logs what a statement
    did before it failed (DROP USER of two, REVOKE ALL; 10.11, 11.8). That is not applied, and not in the set.
    """

    positions: tuple[tuple[Origin, int], ...] = ()
    logged: tuple[tuple[Origin, int], ...] = ()

    counts: ClassVar[bool] = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a state or a position; of two entries with one origin the newer counts. ValueError for anything else."""
        found: dict[Origin, tuple[Interval, ...]] = {}
        for origin, number in _split_all(text):
            newest = max(number, *(last for _, last in found.get(origin, ())), 0)
            found[origin] = ((1, newest),) if newest else ()
        return cls._of(found)

    @classmethod
    def of_replica(cls, state: str, position: str, server_id: str) -> Self:
        """Return what a replica has logged (``gtid_binlog_state``) and applied, from the server's two texts."""
        applied = tuple(sorted(_split_all(position)))
        reached = dict(applied)
        logged = tuple(
            (origin, number)
            for origin, number in sorted(_split_all(state))
            if origin in reached and reached[origin] < number and origin[1] != server_id
        )
        done = ",".join(entry for entry in state.split(",") if entry.strip() and split(entry.strip()) not in logged)
        return replace(cls.parse(f"{done},{position}"), positions=applied, logged=logged)

    def is_logged_only(self, gtid: str) -> bool:
        """Return whether the transaction is in the replica's binlog and not applied."""
        origin, number = split(gtid)
        return gtid not in self and number <= dict(self.logged).get(origin, 0)

    @classmethod
    def single(cls, gtid: str) -> Self:
        """Return the set of that one GTID."""
        origin, number = split(gtid)
        return cls._of({origin: ((number, number),)})

    def __sub__(self, other: GtidSet) -> Self:
        if isinstance(other, MariadbGtidSet) and other.positions:
            applied = {domain: number for (domain, _), number in other.positions}
            below = {origin: ((1, applied[origin[0]]),) for origin, _ in self.intervals if origin[0] in applied}
            other = other | MariadbGtidSet._of(below)
        return GtidSet.__sub__(self, other)  # of a slotted dataclass, super() is not the base

    def __contains__(self, gtid: str) -> bool:
        origin, number = split(gtid)
        return any(first <= number <= last for first, last in dict(self.intervals).get(origin, ()))

    def applied_last(self, domain: str) -> tuple[Origin, int] | None:
        """Return the last transaction of that domain that the replica applied."""
        return next((entry for entry in self.positions if entry[0][0] == domain), None)

    def ends_with(self, gtid: str) -> bool:
        """Return whether it is the last one of its domain that the replica applied."""
        origin, number = split(gtid)
        return self.applied_last(origin[0]) == (origin, number)

    def leaves_open(self, gtid: str) -> bool:
        """Return whether another origin's transaction is the domain's last: the position then names no number of this one."""
        (domain, server), _ = split(gtid)
        last = self.applied_last(domain)
        return last is not None and last[0] != (domain, server) and gtid not in self

    def orders(self, theirs: GtidSet) -> bool:
        """Not where several servers wrote into one domain: their numbers need not be in the log's order."""
        wrote = {origin for origin, _ in theirs.intervals}
        wrote |= {origin for origin, _ in self.positions if origin[0] in {domain for domain, _ in wrote}}
        return len(wrote) == len({domain for domain, _ in wrote})

    def of_uuid(self, uuid: str) -> Self:
        """Return the GTIDs of the server with that identity, ``server_id 2``: MariaDB has no server_uuid."""
        number = uuid.removeprefix(IDENTITY)
        return replace(self, intervals=tuple(entry for entry in self.intervals if entry[0][1] == number), positions=())

    def of_domains(self, domains: Collection[str]) -> Self:
        """Return the GTIDs of those domains."""
        return replace(self, intervals=tuple(entry for entry in self.intervals if entry[0][0] in domains), positions=())

    def uuids(self) -> frozenset[str]:
        """Return the servers in it, each as ``server_id 2``."""
        return frozenset(f"{IDENTITY}{server}" for (_, server), _ in self.intervals)

    def uncommitted_before(self, gtid: str, received: GtidSet) -> GtidSet:  # noqa: ARG002
        """Return nothing: each domain is committed in its order, also by parallel threads, and domains are independent."""
        return GtidSet()

    def newest_first(self) -> Iterator[str]:
        """Yield each GTID of the set as text, the highest number of each origin first."""
        for (domain, server), intervals in self.intervals:
            for first, last in reversed(intervals):
                yield from (f"{domain}-{server}-{number}" for number in range(last, first - 1, -1))

    def __str__(self) -> str:
        """Return the newest of each origin, as the server writes a state; of a difference the range, ``0-2-3…7``."""
        parts = []
        for (domain, server), intervals in self.intervals:
            for first, last in intervals:
                number = str(last) if first in (1, last) else f"{first}…{last}"
                parts.append(f"{domain}-{server}-{number}")
        return ",".join(parts)


def _split_all(text: str) -> Iterator[tuple[Origin, int]]:
    yield from (split(part) for part in text.replace("\n", "").replace(" ", "").split(",") if part)


def split(gtid: str) -> tuple[Origin, int]:
    """``0-1-5`` as (("0", "1"), 5); ValueError on anything else."""
    found = _GTID.match(gtid)
    if not found:
        raise ValueError(f"not a MariaDB GTID: {gtid[:80]!r}")
    return (found[1], found[2]), int(found[3])
