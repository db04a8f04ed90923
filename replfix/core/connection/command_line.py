"""What one command line gives beside the configuration file and the environment: it comes before both.

A face sets it once, around the whole command (``given``); ``load`` puts it into the Config. So no command can forget
to pass it on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Options that every command has in common."""

    read_only: bool = False
    """``--read-only``: refuse everything that writes on a server or to the audit trail."""


NOTHING_GIVEN = CommandLine()
_current: ContextVar[CommandLine] = ContextVar("command_line", default=NOTHING_GIVEN)


def current() -> CommandLine:
    """Return what the command line of this process gives; nothing outside of a command."""
    return _current.get()


@contextmanager
def given(options: CommandLine) -> Iterator[None]:
    """Let ``load`` see these options inside the ``with``."""
    token = _current.set(options)
    try:
        yield
    finally:
        _current.reset(token)
