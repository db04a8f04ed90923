"""An answer that makes no sense is an error of the server, not a bug of replfix: the one place for that.

The driver's own errors over packets are in ``wire/guarded.py``, damaged events are ``Unreadable``.
"""

from __future__ import annotations

import functools
import inspect
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from replfix.errors import ConnectError

_CONFUSED = (
    ValueError, LookupError, TypeError, ArithmeticError, AttributeError, AssertionError, RecursionError, struct.error
)  # fmt: skip
_SHOWN = 80
Class = TypeVar("Class", bound=type)


class Confusing(ConnectError):
    """An answer that makes no sense: as after a lost connection, what was sent may have been done."""


def understood(cls: Class) -> Class:
    """Turn a port's errors over a missing column, a bad number or a missing row into :class:`Confusing`.

    It has the place in the code, for whoever reports it.
    """
    for name, member in list(vars(cls).items()):
        if name.startswith("_"):
            continue
        if isinstance(member, property) and member.fget is not None:
            setattr(cls, name, property(_asking(member.fget, enters=False)))
        elif inspect.isfunction(member):
            setattr(cls, name, _asking(member))
    return cls


def _asking(function: Callable[..., Any], *, enters: bool = True) -> Callable[..., Any]:
    """Wrap one method or property. ``enters``: a context manager that it returns is wrapped too.

    A property may be a session.
    """

    @functools.wraps(function)
    def asked(self: Any, *args: Any, **others: Any) -> Any:
        try:
            found = function(self, *args, **others)
        except _CONFUSED as error:
            raise _confusing(self, error) from error
        if isinstance(found, Iterator):
            return _iterated(self, found)
        return (
            _Entering(self, found)
            if enters and isinstance(found, AbstractContextManager) and found is not self
            else found
        )

    return asked


def _iterated(server: object, found: Iterator[Any]) -> Iterator[Any]:
    try:
        yield from found
    except _CONFUSED as error:
        raise _confusing(server, error) from error


class _Entering(AbstractContextManager[Any]):
    """What is done to begin with is the server's too; what is done inside is not."""

    def __init__(self, server: object, inner: AbstractContextManager[Any]) -> None:
        self._server, self._inner = server, inner

    def __enter__(self) -> Any:
        try:
            return self._inner.__enter__()
        except _CONFUSED as error:
            raise _confusing(self._server, error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return self._inner.__exit__(kind, error, traceback)


def _confusing(server: Any, error: Exception) -> Confusing:
    frames = inspect.getinnerframes(error.__traceback__) if error.__traceback__ else []
    own = [frame for frame in frames if f"{__package__.partition('.')[0]}/" in Path(frame.filename).as_posix()]
    where = f", in {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""
    said = f"{type(error).__name__}: {error}"[:_SHOWN]
    return Confusing(
        f"{server.address} answers what replfix cannot make sense of ({said}{where}).",
        "If it is the server that it should be, of a version that replfix knows, this is a bug: report it with what --verbose "
        "prints.",
    )
