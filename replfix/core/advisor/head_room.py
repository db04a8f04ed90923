"""When an AUTO_INCREMENT column runs out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import sqrt

from replfix.core.advisor.survey import Survey
from replfix.core.schema.auto_increment import Counter
from replfix.core.schema.table import TableName

LEAST_SPAN = timedelta(hours=1)
LEAST_ROWS = 100
"""Less of a log says nothing about a year: a load of a few seconds would look like the end of the column."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HeadRoom:
    """One table of a topology. ``per_day``: how many numbers it uses a day, at least and at most; None: unknown.

    The range has the two ways in which writers that take turns use their numbers up (each for itself, or all of them
    one after the other), and two standard deviations of what was counted.
    """

    table: TableName
    counter: Counter  # the one of the server where it is furthest
    node: str  # Node.uuid of that server
    reached: int  # the highest number that was handed out, anywhere
    limit: int
    per_day: tuple[float, float] | None
    rows: int  # that the growth was measured with
    span: timedelta | None  # the shortest of the logs

    @property
    def left(self) -> int:
        """How many numbers are left."""
        return max(self.limit - self.reached, 0)

    @property
    def used(self) -> float:
        """0 to 1."""
        return min(self.reached / self.limit, 1.0)

    @property
    def days(self) -> tuple[float, float | None] | None:
        """Until it is full: at the earliest, and at the latest (None: perhaps never)."""
        if self.per_day is None:
            return None
        low, high = self.per_day
        return (self.left / high if high else float("inf"), self.left / low if low else None)


def head_rooms(survey: Survey) -> Iterator[HeadRoom]:
    """Yield one for every table with an AUTO_INCREMENT column, by name."""
    names = {name for node in survey.nodes for name, table in node.tables.items() if table.counter is not None}
    for name in sorted(names):
        found = [
            (reached, node.uuid, table.counter)
            for node in survey.nodes
            if (table := node.tables.get(name)) is not None
            and table.counter is not None
            and (reached := _reached(table.counter)) is not None
        ]
        if not found:
            continue
        reached, uuid, counter = max(found, key=lambda f: f[0])
        limits = [c.limit for _, _, c in found if c.limit is not None]  # one side may be narrower
        if not limits:
            continue
        per_day, rows, span = _growth(survey, name)
        yield HeadRoom(name, counter, uuid, reached, min(limits), per_day, rows, span)


def _reached(counter: Counter) -> int | None:
    """Return the highest number used: at its end a counter stays there, and only the highest row shows it."""
    known = [
        n for n in (counter.highest, None if counter.next_value is None else counter.next_value - 1) if n is not None
    ]
    return max(known) if known else None


def _growth(survey: Survey, name: TableName) -> tuple[tuple[float, float] | None, int, timedelta | None]:
    lows, highs, rows, spans = [], [], 0, []
    for node in survey.nodes:
        if node.log is None or name not in node.log.inserts or node.log.span is None:
            continue
        counted, span = node.log.inserts[name].rows, node.log.span
        rows += counted
        spans.append(span)
        if span < LEAST_SPAN:
            continue
        deviation = 2 * sqrt(counted)
        per_row = node.increment.now * (_DAY / span)
        lows.append(max(counted - deviation, 0) * per_row)
        highs.append((counted + deviation) * per_row)
    if rows < LEAST_ROWS or min(spans) < LEAST_SPAN:
        return None, rows, min(spans, default=None)
    return (max(lows), sum(highs)), rows, min(spans)
