"""Reports what is being done to whoever waits: one line each, on stderr in the command line."""

from __future__ import annotations

import sys
from typing import Protocol, TextIO


class Narrator(Protocol):
    """Gets a line for each thing that is done."""

    def say(self, text: str) -> None:
        """Report one line."""

    def progress(self, what: str, done: int, total: int) -> None:
        """Report ``done`` of ``total`` steps of ``what``; called again with each, the last time with done == total."""


class Quiet:
    """Says nothing."""

    def say(self, text: str) -> None:
        pass

    def progress(self, what: str, done: int, total: int) -> None:
        pass


class Lines:
    """Writes to a stream: on a terminal one line that is rewritten, in a log a line for each quarter."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._quarter = -1

    def say(self, text: str) -> None:
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def progress(self, what: str, done: int, total: int) -> None:
        if self._stream.isatty():
            end = "\n" if done >= total else ""
            self._stream.write(f"\r  {what}: {done} of {total}\x1b[K{end}")
        else:
            quarter = 4 * done // max(total, 1)
            if quarter != self._quarter:
                self._stream.write(f"  {what}: {done} of {total}\n")
            self._quarter = -1 if done >= total else quarter
        self._stream.flush()
