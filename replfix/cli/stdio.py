"""stdout and stderr for one run of the command line: what cannot be written is no reason to end what is being done."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from replfix.present.ascii_text import without_symbols


class ReaderGone(Exception):
    """Nobody reads what is written to stdout any more (``replfix … | head``). No OSError: click ends those with 1."""


class BestEffortStream:
    """A text stream that goes on when nothing can be written to it any more.

    ``lost`` is the system's error then, and what comes after that is dropped. A reader that went away ends the run where
    that is wanted (ReaderGone): of stdout, which gets the results.
    """

    def __init__(self, stream: TextIO, *, ends_with_reader: bool, before: Callable[[], object] = lambda: None) -> None:
        """``before``: called before each text, to make room for it."""
        self._stream = stream
        self._ends_with_reader = ends_with_reader
        self._before = before
        self.lost: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write the text, or drop it when nothing can be written any more. ReaderGone as the class describes."""
        self._before()
        if self.lost is None:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:
                return self.write(without_symbols(text, self.encoding))
            except OSError as error:
                self._lose(error)
        return len(text)

    @property
    def encoding(self) -> str:
        """The stream's encoding; UTF-8 of one that takes text as it is."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    def flush(self) -> None:
        """Flush; what cannot be written is lost, without an error but ReaderGone."""
        if self.lost is None:
            try:
                self._stream.flush()
            except OSError as error:
                self._lose(error)

    def _lose(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError) and self._ends_with_reader:
            raise ReaderGone from error
        self.lost = error

    def let_go(self) -> None:
        """Drop what is still in the buffer: the interpreter would try once more to write it at its end, and fail."""
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())
            os.close(nowhere)
