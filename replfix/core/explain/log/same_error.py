"""Which lines of a log are one error: a stack trace, three loggers and a driver repeat its message."""

from __future__ import annotations

from dataclasses import dataclass, field

from replfix.core.explain.duplicate import Product
from replfix.core.explain.log.log_time import has_fraction, seconds_of
from replfix.core.explain.log.mention import RECORD, LoggedError, Mention
from replfix.core.explain.surge import Surge

OPEN = 64
"""Errors that a further line can belong to."""
SPAN = 4_000_000
"""Bytes after which a line without a time is no repetition any more."""


@dataclass(slots=True)
class _Open:
    """An error that further lines may repeat."""

    error: LoggedError
    begun: bool
    first: int  # the first line, as ``Mention.line`` has it
    own_time: bool
    begins: int  # offset of its first line
    last: int  # offset of its last line
    shapes: set[bytes] = field(default_factory=set)
    counted: bool = False


class ErrorCount:
    """Counts errors, each once however often the log repeats it. What the log leaves open is counted too."""

    def __init__(self, surge: Surge) -> None:
        self.surge = surge
        self._open: dict[tuple[str, Product, str, str | None], _Open] = {}
        self.repeated = 0
        """Lines that repeat an error which is counted already."""
        self.doubtful_repeats = 0
        """Of them, those that can be errors of their own: nothing joins them but the time."""
        self.doubtful_errors = 0
        """Errors that can be a repetition: nothing says when, or by whom, their line was written."""

    def add(self, mention: Mention) -> None:
        """Take the next line of the log."""
        name = mention.source, mention.dialect, mention.key, mention.value
        known = self._open.get(name)
        if known is not None and self._repeats(known, mention):
            self.repeated += 1
            known.last = mention.offset
            if not mention.continues:
                known.shapes.add(mention.shape)
                known.begun |= mention.begins
            table_missing = known.error.table is None and not known.counted and "." not in mention.key
            if table_missing and mention.named_table()[1] is not None:
                known.error = mention.kept()._replace(at=known.error.at, seconds=known.error.seconds)
            return
        if known is not None:
            self._count(self._open.pop(name))
        shapes = set() if mention.continues else {mention.shape}
        self._open[name] = _Open(
            mention.kept(), mention.begins, mention.line, mention.own_time, mention.offset, mention.offset, shapes
        )
        if len(self._open) > OPEN:
            self._count(self._open.pop(next(iter(self._open))))

    def settle(self) -> None:
        """Count what is still open. Further lines can still be recognised as repetitions of it."""
        for one in self._open.values():
            self._count(one)

    def _count(self, one: _Open) -> None:
        if not one.counted:
            one.counted = True
            self.surge.add(one.error)

    def _repeats(self, known: _Open, mention: Mention) -> bool:
        if mention.offset == known.begins:
            return True
        if mention.alone:
            return False
        if mention.continues and not mention.own_time and mention.offset - known.last < RECORD:
            return True
        at, before = mention.at, known.error.seconds
        seconds = seconds_of(at) if at is not None else None
        timed = seconds is not None and before is not None
        near = seconds is not None and before is not None and 0 <= seconds - before <= 1
        if (timed and not near) or mention.offset - known.last > SPAN:
            return False
        if mention.continues:
            return True
        seen = mention.shape in known.shapes
        second_exception = mention.begins and known.begun
        if (seen or second_exception or not near) and mention.chained_at >= known.last:
            return True
        if seen:
            # The very same line under one time that is finer than a second: written twice, by two handlers.
            same = mention.line == known.first and mention.own_time and has_fraction(at or "")
            self.doubtful_repeats += same
            return same
        if not near:
            self.doubtful_errors += not mention.begins
            return False
        if second_exception:
            return not mention.own_time and at == known.error.at and has_fraction(at or "")
        self.doubtful_repeats += seconds != before
        return True
