"""How long a whole operation may take, whatever each of its answers may: a server that answers everything at the last moment would
keep it for hours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """``until``: by the clock of ``time.monotonic``. ``what`` may take so many seconds; ``key`` of ``[limits]`` raises them, where there is one."""

    until: float
    seconds: float
    what: str
    key: str


_NOW: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def deadline() -> Deadline | None:
    """Of what this thread does now."""
    return _NOW.get()


@contextmanager
def within(seconds: float, what: str, key: str = "") -> Iterator[None]:
    """What is asked of servers inside has to be answered by then; inside of another one, by whichever comes first. For what only reads:
    a write that has begun has limits of its own."""
    mine, outer = Deadline(time.monotonic() + seconds, seconds, what, key), _NOW.get()
    token = _NOW.set(outer if outer is not None and outer.until < mine.until else mine)
    try:
        yield
    finally:
        _NOW.reset(token)
