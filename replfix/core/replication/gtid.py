"""Sets of global transaction identifiers, tags (8.3+) included.

Text form: ``UUID[:tag]:interval[:interval…][:tag:interval…]``, several joined by commas; UUIDs and tags are lower case.
Source: MySQL manual, "GTID Sets".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Self

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}\Z")
_INTERVAL = re.compile(r"([0-9]{1,19})(?:-([0-9]{1,19}))?\Z")

Interval = tuple[int, int]  # first and last, both included
Origin = tuple[str, str]  # UUID and tag ("" for none)


def _merge(intervals: list[Interval]) -> tuple[Interval, ...]:
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return tuple(merged)


def _subtract(whole: tuple[Interval, ...], taken: tuple[Interval, ...]) -> tuple[Interval, ...]:
    left: list[Interval] = []
    for first, last in whole:
        at = first
        for t_first, t_last in taken:
            if t_last < at or t_first > last:
                continue
            if t_first > at:
                left.append((at, t_first - 1))
            at = t_last + 1
        if at <= last:
            left.append((at, last))
    return tuple(left)


@dataclass(frozen=True, slots=True)
class GtidSet:
    """An immutable set of GTIDs. ``intervals`` is sorted by origin and has no empty entry."""

    intervals: tuple[tuple[Origin, tuple[Interval, ...]], ...] = ()

    counts: ClassVar[bool] = True
    """Whether every number in it is a transaction."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse the server's text form; white space and newlines are ignored. ValueError on anything else."""
        found: dict[Origin, list[Interval]] = {}
        for part in text.replace("\n", "").replace(" ", "").split(","):
            if not part:
                continue
            uuid, *rest = part.lower().split(":")
            if not _UUID.match(uuid) or not rest:
                raise ValueError(f"not a GTID set: {part[:80]!r}")
            tag = ""
            bare_tag = False
            for piece in rest:
                interval = _INTERVAL.match(piece)
                if interval:
                    first = int(interval[1])
                    last = int(interval[2] or first)
                    if first < 1 or last < first:
                        raise ValueError(f"not a GTID interval: {piece!r}")
                    found.setdefault((uuid, tag), []).append((first, last))
                    bare_tag = False
                elif _TAG.match(piece) and not bare_tag:
                    tag, bare_tag = piece, True
                else:
                    raise ValueError(f"not a GTID set: {part[:80]!r}")
            if bare_tag:
                raise ValueError(f"a tag without an interval: {part[:80]!r}")
        return cls._of({origin: _merge(intervals) for origin, intervals in found.items()})

    @classmethod
    def single(cls, gtid: str) -> Self:
        """Return the set of that one GTID; ValueError for anything else."""
        found = cls.parse(gtid)
        if len(found) != 1:
            raise ValueError(f"not one GTID: {gtid[:80]!r}")
        return found

    @classmethod
    def exactly(cls, gtids: Iterable[str]) -> Self:
        """Return the set of those GTIDs; ValueError when one of them is none."""
        found: dict[Origin, list[Interval]] = {}
        for gtid in gtids:
            for origin, intervals in cls.single(gtid).intervals:
                found.setdefault(origin, []).extend(intervals)
        return cls._of({origin: _merge(intervals) for origin, intervals in found.items()})

    @classmethod
    def _of(cls, found: Mapping[Origin, tuple[Interval, ...]]) -> Self:
        return cls(tuple(sorted((origin, intervals) for origin, intervals in found.items() if intervals)))

    def __sub__(self, other: GtidSet) -> Self:
        taken = dict(other.intervals)
        return self._of({o: _subtract(i, taken.get(o, ())) for o, i in self.intervals})

    def __or__(self, other: GtidSet) -> GtidSet:
        if not self:  # the empty set is of no family
            return other
        found = {origin: list(intervals) for origin, intervals in self.intervals}
        for origin, intervals in other.intervals:
            found.setdefault(origin, []).extend(intervals)
        return self._of({origin: _merge(intervals) for origin, intervals in found.items()})

    def __and__(self, other: GtidSet) -> Self:
        return self - (self - other)

    def __le__(self, other: GtidSet) -> bool:
        return not (self - other)

    def __bool__(self) -> bool:
        return bool(self.intervals)

    def __contains__(self, gtid: str) -> bool:
        return bool(self) and self.parse(gtid) <= self

    def __len__(self) -> int:
        return sum(last - first + 1 for _, intervals in self.intervals for first, last in intervals)

    def uuids(self) -> frozenset[str]:
        """Return the server UUIDs in it."""
        return frozenset(uuid for (uuid, _), _ in self.intervals)

    def of_uuid(self, uuid: str) -> GtidSet:
        """Return the GTIDs of that server."""
        return GtidSet(tuple(entry for entry in self.intervals if entry[0][0] == uuid.lower()))

    def of_domains(self, domains: Collection[str]) -> GtidSet:  # noqa: ARG002
        """Return the GTIDs of those domains of MariaDB; MySQL has none."""
        return GtidSet()

    def newest(self, count: int) -> Self:
        """Return the ``count`` highest numbers of each origin."""
        kept = {}
        for origin, intervals in self.intervals:
            left = count
            of_origin: list[Interval] = []
            for first, last in reversed(intervals):
                if left <= 0:
                    break
                start = max(first, last - left + 1)
                of_origin.insert(0, (start, last))
                left -= last - start + 1
            kept[origin] = tuple(of_origin)
        return self._of(kept)

    def oldest(self, count: int) -> Self:
        """Return the ``count`` lowest numbers of each origin."""
        kept = {}
        for origin, intervals in self.intervals:
            left = count
            of_origin: list[Interval] = []
            for first, last in intervals:
                if left <= 0:
                    break
                end = min(last, first + left - 1)
                of_origin.append((first, end))
                left -= end - first + 1
            kept[origin] = tuple(of_origin)
        return self._of(kept)

    def of_origin(self, origin: Origin) -> Self:
        """Return the GTIDs of that origin."""
        return self._of({origin: dict(self.intervals).get(origin, ())})

    def uncommitted_before(self, gtid: str, received: GtidSet) -> GtidSet:
        """Return received GTIDs of the same origin that have lower numbers and are not in the set.

        Several workers apply at once, so the one that fails need not be the first that is still to be committed.
        """
        origin, _, number = gtid.rpartition(":")
        last = int(number) - 1
        return (received & self.parse(f"{origin}:1-{last}")) - self if last else GtidSet()

    def ends_with(self, gtid: str) -> bool:
        """Return whether it is in the set and the last one of its origin."""
        ((origin, ((number, _), *_)), *_) = self.parse(gtid).intervals
        return max((last for _, last in dict(self.intervals).get(origin, ())), default=0) == number

    def leaves_open(self, gtid: str) -> bool:  # noqa: ARG002
        """Return whether a replica's set does not show if it has applied that transaction, which is not in the set."""
        return False

    def orders(self, theirs: GtidSet) -> bool:  # noqa: ARG002
        """Return whether everything that a replica's set lacks of a server's set is not applied."""
        return True

    def newest_first(self) -> Iterator[str]:
        """Yield each GTID of the set as text, the highest number of each origin first."""
        for (uuid, tag), intervals in self.intervals:
            for first, last in reversed(intervals):
                for number in range(last, first - 1, -1):
                    yield f"{uuid}:{tag}:{number}" if tag else f"{uuid}:{number}"

    def __str__(self) -> str:
        parts: dict[str, list[str]] = {}
        for (uuid, tag), intervals in self.intervals:
            pieces = parts.setdefault(uuid, [uuid])
            if tag:
                pieces.append(tag)
            pieces.extend(str(first) if first == last else f"{first}-{last}" for first, last in intervals)
        return ",".join(":".join(pieces) for pieces in parts.values())
