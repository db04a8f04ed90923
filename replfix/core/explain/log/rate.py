"""How many errors a log has over time: when they began, how many a minute, whether they still go on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from replfix.core.explain.log.log_time import NO_YEAR, seconds_of

MOST = 120
"""Buckets that are kept; with more, two and more of them become one."""
WIDTHS = (60, 300, 900, 3_600, 21_600, 86_400, 7 * 86_400, 28 * 86_400, 365 * 86_400, 36_500 * 86_400)
GOES_ON = 60
"""Seconds of a log after the last error, within which the errors still go on."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The errors of one span of time. ``at``: its beginning on the log's own clock, ``YYYY-MM-DD HH:MM``."""

    at: str
    count: int


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors over time, of those whose line has a time. ``buckets`` have no gap: a quiet span has a count of 0."""

    width: int  # seconds of a bucket
    buckets: tuple[Bucket, ...]
    seconds: int  # from the first error to the last one
    timed: int  # errors with a time
    quiet: int | None  # seconds of the log after the last error; None where no line says so

    @property
    def per_minute(self) -> float:
        """The mean, from the first error to the last one; a surge shorter than a minute counts as a minute."""
        return self.timed / max(1.0, self.seconds / 60)

    @property
    def most_per_minute(self) -> float:
        """The mean of the fullest bucket."""
        return max(bucket.count for bucket in self.buckets) / (self.width / 60)

    @property
    def goes_on(self) -> bool | None:
        """Whether the errors reach up to the log's end; None when that is unknown."""
        return None if self.quiet is None else self.quiet <= GOES_ON


class RateCount:
    """Counts errors by time, in memory that does not grow."""

    def __init__(self) -> None:
        self._width = 0  # a place in WIDTHS
        self._buckets: dict[int, int] = {}
        self._first: int | None = None
        self._last = 0
        self.timed = 0

    def add(self, seconds: int | None) -> None:
        """Count one error at a time of the log's own clock (``log_time.seconds_of``); None: its line has no time."""
        if seconds is None:
            return
        self.timed += 1
        if self._first is None or seconds < self._first:
            self._first = seconds
        if seconds > self._last:
            self._last = seconds
        bucket = seconds // WIDTHS[self._width]
        known = self._buckets.get(bucket)
        if known is not None:
            self._buckets[bucket] = known + 1
            return
        self._buckets[bucket] = 1
        while self._width + 1 < len(WIDTHS) and self._span() > MOST:
            self._widen()

    def _span(self) -> int:
        width = WIDTHS[self._width]
        return self._last // width - (self._first or 0) // width + 1

    def _widen(self) -> None:
        before, self._width = WIDTHS[self._width], self._width + 1
        buckets: dict[int, int] = {}
        for bucket, count in self._buckets.items():
            at = bucket * before // WIDTHS[self._width]
            buckets[at] = buckets.get(at, 0) + count
        self._buckets = buckets

    def rate(self, log_ends: str | None) -> Rate | None:
        """Return what was counted; None when no error has a time. ``log_ends``: the time of the log's last line."""
        if self._first is None:
            return None
        width = WIDTHS[self._width]
        first, last = self._first // width, self._last // width
        ends = seconds_of(log_ends) if log_ends is not None else None
        return Rate(
            width=width,
            buckets=tuple(
                Bucket(_written(at * width), self._buckets.get(at, 0))
                for at in range(first, min(last, first + MOST) + 1)
            ),
            seconds=self._last - self._first,
            timed=self.timed,
            quiet=None if ends is None or ends < self._last else ends - self._last,
        )


def _written(seconds: int) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    if at.year != NO_YEAR:
        return at.strftime("%Y-%m-%d %H:%M")
    return at.strftime("%H:%M") if (at.month, at.day) == (1, 1) else at.strftime("%m-%d %H:%M")
