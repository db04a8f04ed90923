"""How long a whole operation may take, however long each answer takes.

Without it, a server that answers everything at the last moment would keep the operation for hours.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """``until``: by ``time.monotonic``. ``what`` may take ``seconds``; ``key`` of ``[limits]``, if any, raises the limit."""

    until: float
    seconds: float
    what: str
    key: str


_NOW: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def deadline() -> Deadline | None:
    """Return the deadline of what this thread does now."""
    return _NOW.get()


@contextmanager
def within(seconds: float, what: str, key: str = "") -> Iterator[None]:
    """Require every answer of servers inside to come by then; when nested, by whichever deadline is first.

    For operations that only read: a write that has begun has limits of its own.
    """
    mine, outer = Deadline(time.monotonic() + seconds, seconds, what, key), _NOW.get()
    token = _NOW.set(outer if outer is not None and outer.until < mine.until else mine)
    try:
        yield
    finally:
        _NOW.reset(token)
