"""Errors on keys of one name, whose tables the log does not name: which values go together."""

from __future__ import annotations

from dataclasses import dataclass

REPEATED = 3
"""A value that comes so often is one that is tried again."""
STEP = 10
"""The next number of a counter is no further than that: other sessions take numbers too."""
SHARE = 0.1
LEAST = 5
"""A series has so many errors, and this share of them all."""


@dataclass(slots=True)
class Seen:
    """How often a value was seen, and when first and last."""

    count: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Series:
    """Values that go together: repeated ones, ascending numbers, or all the others."""

    values: dict[str, Seen]
    repeated: bool = False
    ascending: bool = False


def separated(seen: dict[str, Seen]) -> tuple[Series, ...]:
    """Return the series of the values, in order of their first value; none when all of them can be one table's."""
    total = sum(one.count for one in seen.values())
    least = max(LEAST, total * SHARE)
    repeated = {value: one for value, one in seen.items() if one.count >= REPEATED}
    left = {value: one for value, one in seen.items() if value not in repeated}
    found = [Series(repeated, repeated=True)] if sum(one.count for one in repeated.values()) >= least else []
    if not found:
        left = seen
    for run in _runs(left):
        if len(run) >= least:
            found.append(Series({value: left[value] for value in run}, ascending=True))
            left = {value: one for value, one in left.items() if value not in run}
    if sum(one.count for one in left.values()) >= least:
        found.append(Series(left))
    elif found and left:
        found[-1] = Series(found[-1].values | left, found[-1].repeated, found[-1].ascending)
    kinds = {(series.repeated, series.ascending) for series in found}
    return tuple(found) if len(kinds) > 1 else ()


def _runs(values: dict[str, Seen]) -> list[dict[str, None]]:
    """Return the numbers that go up in small steps, each number in one run."""
    ends: dict[int, dict[str, None]] = {}  # by the last number of the run
    for value in values:
        if not (value.isascii() and value.isdigit() and len(value) <= 20):
            continue
        number = int(value)
        before = next((number - step for step in range(1, STEP + 1) if number - step in ends), None)
        run = ends.pop(before) if before is not None else {}
        run[value] = None
        ends[number] = run
    return sorted(ends.values(), key=len, reverse=True)
