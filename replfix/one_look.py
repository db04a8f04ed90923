"""One look at the servers: what is asked twice inside it is asked once.

A diagnosis asks some hundred things of two servers, many of them from several places. Far away, each costs a round trip.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from replfix.errors import ReplfixError

Question = tuple[object, str, bool]
"""Who is asked, the statement, and whether its answer is taken whatever bytes are in it."""


@dataclass(slots=True)
class Answer:
    """What a server answered: the names of the columns, and the rows as it sent them."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]


@dataclass(slots=True)
class Look:
    """What was answered so far. ``whole``: of each server, all is asked that a diagnosis asks, as soon as anything is.

    ``again``: it will ask what the last one asked; servers are asked for that at once, too.
    """

    whole: bool = False
    again: bool = False
    answers: dict[Question, Answer | ReplfixError] = field(default_factory=dict)
    begun: set[object] = field(default_factory=set)
    """Who was asked something."""


_NOW: ContextVar[Look | None] = ContextVar("look", default=None)
_ANEW: ContextVar[bool] = ContextVar("anew", default=False)


def look() -> Look | None:
    """Return the look that this thread takes now."""
    return _NOW.get()


def is_anew() -> bool:
    """Return whether what is asked now is asked whatever was answered before."""
    return _ANEW.get()


@contextmanager
def one_look(*, whole: bool = False, again: bool = False) -> Iterator[None]:
    """Ask nothing twice inside. When nested, the outer one counts.

    For what only reads, and where each answer may be as old as the look: nothing that waits for a change, and nothing
    that is the last check before a write.
    """
    if _NOW.get() is not None:
        yield
        return
    token = _NOW.set(Look(whole, again))
    try:
        yield
    finally:
        _NOW.reset(token)


@contextmanager
def anew() -> Iterator[None]:
    """Ask inside once more, for what has to be later than something that was read in the same look."""
    token = _ANEW.set(True)
    try:
        yield
    finally:
        _ANEW.reset(token)
