"""psycopg's connection with limits on the time and the bytes of an answer: libpq itself takes whatever a server sends."""

from __future__ import annotations

import fcntl
import struct
import termios
import time
from selectors import EVENT_READ, DefaultSelector
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.waiting import Ready

from replfix.core.connection.limits import LIMITS
from replfix.errors import ConnectError

TICK = 0.1
"""Seconds after which a wait is looked at again, for Ctrl-C."""

Result = TypeVar("Result")


class Bounded(psycopg.Connection[Any]):
    """A connection that ends where an answer takes too long or is too large. ``begin`` starts the count anew."""

    _until = float("inf")
    _seconds = 0.0
    _most = LIMITS.answer_bytes
    _received = 0

    def begin(self, seconds: float, most: int = LIMITS.answer_bytes) -> None:
        """Allow so many seconds and bytes for the answers from now on."""
        self._until, self._seconds = time.monotonic() + seconds, seconds
        self._most, self._received = most, 0

    def wait(self, gen: PQGen[Result], interval: float = TICK, timeout: float | None = None) -> Result:
        """Do as psycopg's, within the limits; ConnectError when one is reached, and the connection is closed then."""
        until = self._until if timeout is None else min(self._until, time.monotonic() + timeout)
        try:
            wanted = next(gen)
            with DefaultSelector() as selector:
                selector.register(self.pgconn.socket, wanted)
                while True:
                    left = until - time.monotonic()
                    if left <= 0:
                        raise self._ended(f"{self._seconds:.0f} s were not enough for an answer of the server.")
                    ready = selector.select(min(interval, left))
                    events = ready[0][1] if ready else 0
                    if events & EVENT_READ:
                        self._count()
                    again = gen.send(Ready(events))
                    if again != wanted:
                        wanted = again
                        selector.modify(self.pgconn.socket, wanted)
        except StopIteration as done:
            result: Result = done.value
            return result
        except (KeyboardInterrupt, SystemExit):
            self.pgconn.finish()
            raise

    def _count(self) -> None:
        """Count what libpq is about to take in: what the socket has now."""
        (there,) = struct.unpack("i", fcntl.ioctl(self.pgconn.socket, termios.FIONREAD, b"\0" * 4))
        self._received += there
        if self._received > self._most:
            raise self._ended(f"The server sends more than {self._most:,} bytes: replfix accepts no more.")

    def _ended(self, why: str) -> ConnectError:
        self.pgconn.finish()
        return ConnectError(why, "Look at pg_stat_activity there for the reason, or ask with psql.")
