"""How far long work has come, at which rate, and the time that is left: one line, the same in every face."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from rich.cells import cell_len, set_cell_size

from replfix.core.words import Advance

WINDOW = 15.0  # seconds over which the rate is measured: it follows what becomes slower
SURE_AFTER = 1.0  # seconds before a rate is shown
REWRITTEN = 0.2  # seconds between two texts where the line is written over
SHORTEST = 12  # cells of a step's words
LISTED = 10.0  # seconds between two texts where each is a line of its own


class Pace:
    """Texts for steps, not more often than every so many seconds. It reads no clock: ``now`` is in seconds, monotonic."""

    def __init__(self, every: float, first: float | None = None) -> None:
        """``first``: seconds of a long step before its first text, where that is not ``every``."""
        self._every = every
        self._first = every if first is None else first
        self._step: tuple[str, str] | None = None
        self._samples: deque[tuple[float, int]] = deque()
        self._due = 0.0

    def said(self, step: str | Advance, now: float, width: int | None = None) -> str | None:
        """Return the line for a step; None for a long one where it is too early for the next.

        ``width``: cells in which a long step's numbers have to have room; its words are cut for them.
        """
        if not isinstance(step, Advance):
            self._step = None
            return step
        self._take(step, now)
        if now < self._due:
            return None
        self._due = now + self._every
        line = self._line(step, now)
        if width is None or (over := cell_len(line) - width) <= 0:
            return line
        room = max(SHORTEST, cell_len(step.text) - over - 1)
        return self._line(replace(step, text=f"{set_cell_size(step.text, room).rstrip()}…"), now)

    def _take(self, advance: Advance, now: float) -> None:
        step = (advance.text, advance.unit)
        if step != self._step or (self._samples and advance.done < self._samples[-1][1]):
            self._step = step
            self._samples.clear()
            self._due = now + self._first
        last = self._samples[-1][0] if self._samples else None
        if last is None or now - last >= REWRITTEN:
            self._samples.append((now, advance.done))
        while len(self._samples) > 1 and now - self._samples[1][0] >= WINDOW:
            self._samples.popleft()

    def _line(self, advance: Advance, now: float) -> str:
        since, before = self._samples[0]
        seconds, done = now - since, advance.done - before
        if seconds < SURE_AFTER or not done:
            return str(advance)
        rate = done / seconds
        line = f"{advance}, {_number(rate)} {advance.unit}/s"
        if advance.total is None or advance.total <= advance.done:
            return line
        return f"{line}, about {span((advance.total - advance.done) / rate)} left"


def span(seconds: float) -> str:
    """Return a time as people say it, in the two units that matter: ``40 s``, ``3 min``, ``2 h 5 min``."""
    if seconds < 99.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if minutes else f"{hours:,} h"


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
