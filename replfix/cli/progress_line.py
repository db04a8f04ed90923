"""The line on stderr that shows how far long work has come: written over on a terminal, else one more now and then."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from replfix.core.words import Advance

if TYPE_CHECKING:
    from replfix.present.progress_text import Pace

FIRST = 0.5  # seconds that a step takes before it gets a line: most are done by then
ERASE = "\r\x1b[K"


class ProgressLine:
    """One for each process, as a process has one terminal. Whatever else is written comes after ``clear``."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._drawn = False
        self._shown = True
        self._paces: dict[bool, Pace] = {}

    def _pace(self, over: bool) -> Pace:
        if over not in self._paces:
            from replfix.present.progress_text import LISTED, REWRITTEN, Pace  # not for --help: it loads rich

            self._paces[over] = Pace(REWRITTEN, FIRST) if over else Pace(LISTED)
        return self._paces[over]

    @contextmanager
    def shown(self, wanted: bool) -> Iterator[None]:
        """Inside, show how far work has come, or not; at the end nothing is left of it."""
        before, self._shown = self._shown, wanted
        try:
            yield
        finally:
            self.clear()
            self._shown = before

    def show(self, advance: Advance, written: Callable[[str], str] = str) -> None:
        """Show it, where it is time to; ``written`` makes the text safe for a terminal."""
        if not self._shown:
            return
        over = _written_over()
        width = shutil.get_terminal_size().columns - 1 if over else None  # a full line would scroll
        text = self._pace(over).said(replace(advance, text=written(advance.text)), self._now(), width)
        if text is None:
            return
        if not over:
            sys.stderr.write(f"{text}\n")
        else:
            before = ERASE if self._drawn else ""
            self._drawn = False  # what is written now, erases by itself
            sys.stderr.write(f"{before}{text[:width]}")
            self._drawn = True
        sys.stderr.flush()

    def clear(self) -> None:
        """Erase the line, where there is one."""
        if self._drawn:
            self._drawn = False  # first: what writes comes here again
            sys.stderr.write(ERASE)
            sys.stderr.flush()


def _written_over() -> bool:
    """Return whether the line can be written over: not in a file, nor where no escape sequences are wanted or understood."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM", "dumb") != "dumb"


PROGRESS_LINE = ProgressLine()
