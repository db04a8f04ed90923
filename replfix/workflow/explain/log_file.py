"""A log of any size, read once: every duplicate-key error in it, who wrote it and when.

Memory stays at a few megabytes, for lines of any length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from replfix.core.explain.log.encodings import legacy_needles
from replfix.core.explain.log.log_time import time_of
from replfix.core.explain.log.mention import AHEAD, RECORD, Mention, MentionReader
from replfix.core.explain.log.server_words import NEEDLES
from replfix.workflow.explain.log_source import LogSource

BEHIND = 2 * RECORD
"""Bytes that have to be in sight after an error: the rest of its line, its stack trace, its statement."""

PLAIN = tuple(needle.encode() for needle in NEEDLES if needle.isascii())
OTHER = tuple(needle.encode() for needle in NEEDLES if not needle.isascii())
LEGACY = legacy_needles(NEEDLES)
JOURNAL = b'"__REALTIME_TIMESTAMP"'
# journald prints a message that is no text as the numbers of its bytes.
NUMBERS = tuple(
    separator.join(str(byte) for byte in needle).encode()
    for needle in (b"Duplicate entry", b"duplicate key value violates unique constraint")
    for separator in (",", ", ")
)
LONGEST = max(map(len, (*PLAIN, *OTHER, *LEGACY, *NUMBERS)))


@dataclass(slots=True)
class Read:
    """How far the reading is; ``damaged`` says why it ended before the file did, ``ends`` the time of its last line."""

    bytes: int = 0
    lines: int = 0
    damaged: str | None = None
    ends: str | None = None


class _Needles:
    """Where the next one is, from any place on that only moves forward."""

    def __init__(self, buffer: bytes, needles: tuple[bytes, ...], begins: int) -> None:
        self._buffer = buffer
        self._next = [(at, needle) for needle in needles if (at := buffer.find(needle, begins)) >= 0]

    def after(self, begins: int) -> int:
        """-1 when there is none."""
        while self._next:
            best = self._next[0] if len(self._next) == 1 else min(self._next)
            if best[0] >= begins:
                return best[0]
            at = self._buffer.find(best[1], begins)
            place = self._next.index(best)
            self._next[place : place + 1] = [(at, best[1])] if at >= 0 else []
        return -1


class LogReader:
    """Finds the errors in the pieces of a log, in order. ``read`` is kept up to date."""

    def __init__(self) -> None:
        self.read = Read()
        self._mentions = MentionReader()
        self._buffer = b""
        self._base = 0  # the buffer's place in the log
        self._looked_at = 0  # up to where everything was given out
        self._legacy = self._journal = False

    def feed(self, chunk: bytes, *, more: bool = True) -> Iterator[Mention]:
        """Yield the errors that are whole with the next piece.

        ``more``: False when nothing follows, or nothing for now: what is there is whole then.
        """
        self.read.bytes += len(chunk)
        self.read.lines += chunk.count(b"\n")
        # What was looked at stays in sight for the beginnings and times of lines, and no more of it than that.
        dropped = max(0, self._looked_at - AHEAD)
        self._buffer = self._buffer[dropped:] + chunk
        self._base += dropped
        self._looked_at -= dropped
        buffer = self._buffer
        needles = _Needles(buffer, self._words(chunk), self._looked_at)
        while (hit := needles.after(self._looked_at)) >= 0 and (not more or len(buffer) - hit >= BEHIND):
            found, after = self._mentions.at(buffer, hit, self._base)
            yield from found
            self._looked_at = after
        if hit < 0:
            # A needle can go on in the next piece.
            self._looked_at = max(self._looked_at, len(buffer) - LONGEST)

    def end(self) -> Iterator[Mention]:
        """Yield the errors that are left when nothing follows, and note the time of the last line."""
        yield from self.feed(b"", more=False)
        self.note_end()

    def note_end(self) -> None:
        """Note the time of the last line that has one."""
        for line in reversed(self._buffer[-AHEAD:].decode("utf-8", "replace").split("\n")):
            if (found := time_of(line)) is not None:
                self.read.ends = found
                return

    def _words(self, chunk: bytes) -> tuple[bytes, ...]:
        if not self._journal and JOURNAL in chunk[:65_536]:
            self._journal = True
        needles = PLAIN + NUMBERS if self._journal else PLAIN
        if self._buffer.isascii():
            return needles
        if not self._legacy:
            self._legacy = not _is_utf8(chunk)
        return needles + OTHER + LEGACY if self._legacy else needles + OTHER


def _is_utf8(chunk: bytes) -> bool:
    """Return whether the piece is UTF-8; a character at either end can be cut."""
    begins = next((at for at in range(min(4, len(chunk))) if chunk[at] & 0xC0 != 0x80), 0)
    try:
        chunk[begins:].decode()
    except UnicodeDecodeError as error:
        return error.start + begins >= len(chunk) - 3
    return True


def mentions(source: LogSource, reader: LogReader, progress: Callable[[], None] = lambda: None) -> Iterator[Mention]:
    """Yield every error of a log, each line that has one for itself. ``progress`` is called for each piece."""
    for chunk in source.chunks():
        if chunk is None:  # nothing for now
            yield from reader.feed(b"", more=False)
        else:
            yield from reader.feed(chunk)
        progress()
    reader.read.damaged = source.damaged
    yield from reader.end()
