"""The line on stderr that shows how far long work has come: written over on a terminal, else one more now and then."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from replfix.core.words import Advance
from replfix.present.progress_text import LISTED, REWRITTEN, Pace

FIRST = 0.5  # seconds that a step takes before it gets a line: most are done by then
ERASE = "\r\x1b[K"


class ProgressLine:
    """One for each process, as a process has one terminal. Whatever else is written comes after ``clear``."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._drawn = False
        self._shown = True
        self._paces = {True: Pace(REWRITTEN, FIRST), False: Pace(LISTED)}

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
        text = self._paces[over].said(advance, self._now())
        if text is None:
            return
        if not over:
            sys.stderr.write(f"{written(text)}\n")
        else:
            before = ERASE if self._drawn else ""
            self._drawn = False  # what is written now, erases by itself
            sys.stderr.write(f"{before}{_fitted(written(text))}")
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


def _fitted(text: str) -> str:
    """Cut the text to one line less a cell: a full one would scroll."""
    from rich.cells import cell_len, set_cell_size

    room = shutil.get_terminal_size().columns - 1
    return text if cell_len(text) <= room else f"{set_cell_size(text, room - 1)}…"


PROGRESS_LINE = ProgressLine()
