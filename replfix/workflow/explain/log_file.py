"""A log of any size, read once: what is around each duplicate-key error in it, and the time of it.

Memory stays at a few megabytes, for lines of any length.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedIOBase

from replfix.core.explain import messages
from replfix.core.explain.log_time import time_of

CHUNK = 1024 * 1024
BEHIND = 32 * 1024
"""Bytes that have to be in sight after an error: the rest of its line, its stack trace, its statement."""
AHEAD = 8 * 1024
RECORD = 16 * 1024
LINES = 80

NEEDLES = tuple(needle.encode() for needle in messages.NEEDLES)
"""What an error cannot be without. Each is searched for by itself: ``bytes.find`` is many times faster than a pattern."""
LONGEST = max(map(len, NEEDLES))

_CONTINUES = re.compile(
    rb"\s|Caused by|###|\.\.\. |;|\[SQL|\[parameters|\(Background|The above exc|During hand|Traceback|#\d|\}|\)|"
    rb"DETAIL|HINT|STATEMENT|CONTEXT|nested exc|Next |from |Error: |\w+(?:\.\w+)+(?:Error|Exception)\b"
)
_ITS_PART = re.compile(rb"\b(?:DETAIL|STATEMENT|CONTEXT|QUERY|SCHEMA NAME|TABLE NAME|CONSTRAINT NAME|LOCATION):  ")


@dataclass(frozen=True, slots=True)
class Record:
    """One or more lines that belong together and contain an error."""

    text: str
    at: str | None


@dataclass(slots=True)
class Read:
    """How far the reading is; ``damaged`` says why it ended before the file did."""

    bytes: int = 0
    lines: int = 0
    damaged: str | None = None


class _Needles:
    """Where the next one is, from any place on that only moves forward."""

    def __init__(self, buffer: bytes) -> None:
        self._buffer = buffer
        self._next = [buffer.find(needle) for needle in NEEDLES]

    def after(self, at: int) -> int:
        """-1 when there is none."""
        best = -1
        for number, found in enumerate(self._next):
            if 0 <= found < at:
                found = self._next[number] = self._buffer.find(NEEDLES[number], at)
            if found >= 0 and (best < 0 or found < best):
                best = found
        return best


def records(stream: BufferedIOBase, read: Read, progress: Callable[[], None] = lambda: None) -> Iterator[Record]:
    """Yield every record with an error in it, in order.

    ``read`` is kept up to date; ``progress`` is called for each megabyte.
    """
    buffer, ended = b"", False
    looked_at = reported = 0  # up to where no error begins, up to where everything was given out
    while not ended:
        chunk = _next_chunk(stream, read)
        ended = not chunk
        progress()
        # What was looked at already stays in sight for the beginnings and times of lines, and no more of it than that.
        dropped = max(0, looked_at - AHEAD)
        buffer, looked_at, reported = buffer[dropped:] + chunk, looked_at - dropped, max(0, reported - dropped)
        needles = _Needles(buffer)
        while (hit := needles.after(looked_at)) >= 0 and (ended or len(buffer) - hit >= BEHIND):
            begins = max(buffer.rfind(b"\n", 0, hit) + 1, reported, hit - AHEAD)
            ends = max(_end(buffer, begins, hit), hit + 1)
            yield Record(buffer[begins:ends].decode("utf-8", "replace"), _time(buffer, begins, hit))
            looked_at = reported = ends
        if hit < 0:
            looked_at = max(looked_at, len(buffer) - LONGEST)  # a needle can go on in the next chunk


def _next_chunk(stream: BufferedIOBase, read: Read) -> bytes:
    try:
        # read1: of a packed file that ends early, what could be unpacked is there before the error is.
        chunk = stream.read1(CHUNK)
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError) as error:
        read.damaged = str(error) or type(error).__name__
        return b""
    read.bytes += len(chunk)
    read.lines += chunk.count(b"\n")
    return chunk


def _end(buffer: bytes, begins: int, hit: int) -> int:
    """Return the position after the last line that belongs to the record."""
    limit = min(len(buffer), hit + RECORD)
    timed = time_of(buffer[begins : begins + 4096].partition(b"\n")[0].decode("utf-8", "replace")) is not None
    ends = buffer.find(b"\n", hit, limit)
    if ends >= 0 and buffer.count(b"'", hit, ends) == 1:  # the value itself goes on in the next line
        ends = buffer.find(b"\n", ends + 1, limit)
    for _ in range(LINES):
        if ends < 0:
            return limit
        following = ends + 1
        line = buffer[following : following + 400].partition(b"\n")[0]
        if not _belongs(line, timed=timed):
            return following
        ends = buffer.find(b"\n", following, limit)
    return ends if ends >= 0 else limit


def _belongs(line: bytes, *, timed: bool) -> bool:
    if _ITS_PART.search(line):
        return True
    if not line:
        return True
    if time_of(line.decode("utf-8", "replace")) is not None:
        return False
    return timed or _CONTINUES.match(line) is not None


def _time(buffer: bytes, begins: int, hit: int) -> str | None:
    line_end = buffer.find(b"\n", hit)
    line = buffer[begins : line_end if line_end >= 0 else hit + 4096][:4096].decode("utf-8", "replace")
    found = time_of(line)
    if found is not None:
        return found
    # A message of several lines: the last line before it that carries a time.
    for earlier in reversed(buffer[max(0, begins - AHEAD) : begins].decode("utf-8", "replace").split("\n")[-LINES:]):
        if (found := time_of(earlier)) is not None:
            return found
    return None
