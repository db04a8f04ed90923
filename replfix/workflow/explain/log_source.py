"""Where a log comes from: a file or stdin, packed or not, in UTF-8 or UTF-16, finished or still written."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import select
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, Protocol, cast

import zstandard

CHUNK = 1024 * 1024
PEEKED = 4 * 1024
ZSTD_PIECE = 512
"""Packed bytes that are unpacked at a time: they can become a hundred thousand times as many."""
POLLED = 0.25
"""Seconds between two looks at a file that is still written."""

GZIP, XZ, BZIP2, ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"BZh", b"\x28\xb5\x2f\xfd"


PACKED = (GZIP, XZ, BZIP2, ZSTD)


class LogSource(Protocol):
    """The bytes of a log, as UTF-8 or what its writers take for text."""

    damaged: str | None
    """Why the reading ended before the log did; None when it did not."""

    def chunks(self) -> Iterator[bytes | None]:
        """Yield the pieces in order; None when there is nothing for now, and more can follow."""
        ...


class Finished:
    """A log that is read to its end, unpacked and decoded where that is needed."""

    def __init__(self, raw: io.BufferedIOBase | BinaryIO) -> None:
        self.damaged: str | None = None
        self._raw = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", raw))

    def chunks(self) -> Iterator[bytes | None]:
        """Yield the pieces; what can be unpacked of a damaged file comes before the end."""
        utf16: codecs.IncrementalDecoder | None = None
        first = True
        for chunk in self._unpacked():
            if first and chunk:
                name = utf16_of(chunk[:PEEKED])
                utf16 = codecs.getincrementaldecoder(name)("replace") if name else None
                first = False
            yield utf16.decode(chunk).encode("utf-8", "replace") if utf16 else chunk

    def _unpacked(self) -> Iterator[bytes]:
        head = self._raw.peek(6)[:6]
        try:
            if head.startswith(ZSTD):
                yield from self._zstandard()
                return
            stream: io.BufferedIOBase = self._raw
            if head.startswith(GZIP):
                stream = gzip.GzipFile(fileobj=self._raw)
            elif head.startswith(XZ):
                stream = lzma.LZMAFile(self._raw)  # noqa: SIM115 - closed with the file that it reads
            elif head.startswith(BZIP2):
                stream = bz2.BZ2File(self._raw)
            # read1: of a packed file that ends early, what could be unpacked is there before the error is.
            while chunk := stream.read1(CHUNK):
                yield chunk
        except (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstandard.ZstdError, OSError) as error:
            self.damaged = str(error) or type(error).__name__

    def _zstandard(self) -> Iterator[bytes]:
        unpacking = zstandard.ZstdDecompressor().decompressobj()
        begun, left = False, b""
        while piece := left or self._raw.read1(ZSTD_PIECE):
            if unpacking.eof:
                unpacking, begun = zstandard.ZstdDecompressor().decompressobj(), False
            left = b""
            whole = unpacking.decompress(piece)
            begun = True
            if unpacking.eof:
                left = unpacking.unused_data
            for at in range(0, len(whole), CHUNK):
                yield whole[at : at + CHUNK]
        if begun and not unpacking.eof:
            self.damaged = "The file ends before its last frame does."


def utf16_of(head: bytes) -> str | None:
    """Return the name of the encoding when the text is UTF-16, with or without a byte order mark; else None."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if len(head) < 8:
        return None
    # Half of the bytes of Western text are zero, always on the same side.
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) * 0.3 and even < len(head) * 0.05:
        return "utf-16-le"
    return "utf-16-be" if even > len(head) * 0.3 and odd < len(head) * 0.05 else None


def whole_text(raw: bytes) -> bytes:
    """Return all of a text that was packed or is UTF-16, as UTF-8."""
    return b"".join(chunk for chunk in Finished(io.BytesIO(raw)).chunks() if chunk)


class FollowedFile:
    """A file that is still written: read from its beginning, then as it grows; a rotated or truncated one anew.

    ``wait`` is called with seconds when there is nothing to read; it returns True to end.
    """

    def __init__(self, path: str, wait: Callable[[float], bool]) -> None:
        self.damaged: str | None = None
        self._path = path
        self._wait = wait

    def chunks(self) -> Iterator[bytes | None]:
        """Yield the pieces until ``wait`` ends it. OSError when the file cannot be opened at all."""
        log = open(self._path, "rb", buffering=0)  # noqa: SIM115 - another one takes its place when the log is rotated
        last = b"\n"
        try:
            while True:
                while chunk := log.read(CHUNK):
                    yield chunk
                    last = chunk[-1:]
                yield None
                truncated = self._truncated(log)
                following = None if truncated else self._rotated(log)
                if following is not None:
                    while chunk := log.read(CHUNK):  # what was written until it was renamed
                        yield chunk
                        last = chunk[-1:]
                    log.close()
                    log = following
                elif truncated:
                    log.seek(0)
                elif self._wait(POLLED):
                    return
                if (truncated or following is not None) and last != b"\n":
                    yield b"\n"  # a line that was not finished does not go on in another file
        finally:
            log.close()

    @staticmethod
    def _truncated(log: io.FileIO) -> bool:
        return os.fstat(log.fileno()).st_size < log.tell()

    def _rotated(self, log: io.FileIO) -> io.FileIO | None:
        """Return the file that has the log's name now, if it is another one."""
        try:
            there = os.stat(self._path)
            here = os.fstat(log.fileno())
            if (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino):
                return None
            return open(self._path, "rb", buffering=0)
        except OSError:
            return None  # between the old file and the new one


class FollowedPipe:
    """A pipe that somebody still writes to (``tail -f``), up to its end. ``wait`` as with ``FollowedFile``."""

    def __init__(self, descriptor: int, wait: Callable[[float], bool]) -> None:
        self.damaged: str | None = None
        self._descriptor = descriptor
        self._wait = wait

    def chunks(self) -> Iterator[bytes | None]:
        """Yield the pieces until the pipe ends or ``wait`` ends it."""
        while True:
            readable, _, _ = select.select([self._descriptor], [], [], POLLED)
            if not readable:
                yield None
                if self._wait(0):
                    return
                continue
            chunk = os.read(self._descriptor, CHUNK)
            if not chunk:
                return
            yield chunk
