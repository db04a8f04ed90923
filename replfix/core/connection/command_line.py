"""What one command line gives beside the configuration file and the environment: it comes before both.

A face sets it once, around the whole command (``given``); ``load`` puts it into the Config. So no command can forget
to pass it on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from replfix.core.connection.sign_in import CLIENTS_RULES, SignIn
from replfix.core.connection.tls import NO_TLS_OPTIONS, Tls


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Options that every command has in common, and those for signing in, which MySQL's clients have too."""

    read_only: bool = False
    """``--read-only``: refuse everything that writes on a server or to the audit trail."""
    host: str | None = None
    port: int | None = None
    socket: str | None = None
    user: str | None = None
    ask_password: bool = False
    """``-p``: ask, whatever password is given elsewhere."""
    no_defaults: bool = False
    defaults_file: str | None = None
    defaults_extra_file: str | None = None
    defaults_group_suffix: str | None = None
    login_path: str | None = None
    tls: Tls = NO_TLS_OPTIONS
    sign_in: SignIn = CLIENTS_RULES

    @property
    def addresses(self) -> tuple[str, ...]:
        """The options that name the server to work on; none where NAME or ``--replica`` has to."""
        given = {"--host": self.host, "--port": self.port, "--socket": self.socket}
        return tuple(option for option, value in given.items() if value is not None)

    @property
    def names_files(self) -> bool:
        """Whether it says which option files or login path to read; they come before the configuration then."""
        return any((self.defaults_file, self.defaults_extra_file, self.login_path))


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
