"""The errors that replfix raises on purpose, and the exit code of each.

::

    ReplfixError                 what went wrong, where, and what to do next
    ├── UsageError          2    the command line asks for something that does not exist
    │   ├── ConfigError     2    a configuration file or URL that cannot be used
    │   └── TooOld          2    a server without the statements that replfix uses
    ├── ConnectError        6    a server that cannot be reached, or that turns the account away
    │   ├── TooSlow         6    a statement that the server cancelled, because it took too long
    │   └── PrivilegeError  6    connected, but a privilege is missing; names the GRANT that gives it
    ├── ReplicationError    3    replication is in a state that this command cannot work with
    │   ├── NoReplica       2    a server without a replication channel
    │   ├── StoppedByHand   3    a channel that does not run and has no error
    │   └── Unreadable      3    an event, a type or a file that replfix will not guess at
    ├── NotDone             4    a guard, the policy or a missing confirmation; nothing was changed
    │   ├── ReadOnly        4    --read-only, or its like in the environment or the configuration
    │   ├── Refused         4    replfix knows the case and will not do it
    │   ├── Stale           4    the world changed between what was shown and what was to be done
    │   ├── RehearsalFailed 4    the replica itself said that the plan does not work
    │   └── Busy            4    another operator or another replfix holds the channel
    ├── NotVerified         5    something was changed and could not be proven right; see the audit trail
    │   └── Unexpected      5    replfix itself failed where something may have been changed
    ├── AuditError          4    the audit trail cannot be read or written, so nothing is changed
    ├── PostgresqlError     6    the same from a PostgreSQL server, with its SQLSTATE
    └── ServerError         6    a server answered with an error that nothing in replfix expects

Anything else that reaches the top is a bug before anything was changed: exit code 1.
"""

from __future__ import annotations


class ReplfixError(Exception):
    """Base of all deliberate errors.

    ``message`` says what happened and where; ``hint`` says what to do next. Neither may hold a password.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ReplfixError):
    """The command or its arguments are wrong."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration, or a file that it names, is wrong."""


class TooOld(UsageError):
    """The server is older than replfix works with."""


class ConnectError(ReplfixError):
    """A server cannot be reached, or rejects the login."""

    exit_code = 6


class TooSlow(ConnectError):
    """The server cancelled a statement at its time limit; the connection is as good as before."""


class PrivilegeError(ConnectError):
    """The account lacks a privilege; the hint has the GRANT."""


class ReplicationError(ReplfixError):
    """Replication is stopped, or what was asked for is not there."""

    exit_code = 3


class NoReplica(ReplicationError):
    """Not found in the state that a command works with, and most often not the server that was meant."""

    exit_code = 2


class StoppedByHand(ReplicationError):
    """A channel is stopped without an error.

    It is also stopped like that for moments while replfix lets it apply one transaction.
    """

    def __init__(self, message: str, hint: str, channel: str) -> None:
        super().__init__(message, hint)
        self.channel = channel


class Unreadable(ReplicationError):
    """Something that a server sent cannot be read: damaged, or of a form that replfix does not know."""


class NotDone(ReplfixError):
    """Nothing was changed."""

    exit_code = 4


class ReadOnly(NotDone):
    """It was asked for that nothing is written; ``where`` names the place."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"This command writes, and {where} is set. Nothing was changed.",
            f"To let it write, run it without {where}."
            if where.startswith(("-", "$"))
            else f"It writes without {where}.",
        )


class Refused(NotDone):
    """replfix does not do it."""


class Stale(NotDone):
    """Something differs from what was diagnosed or planned."""


class RehearsalFailed(NotDone):
    """The rehearsal showed that the plan does not work."""


class Busy(NotDone):
    """Another replfix is working there."""


class NotVerified(ReplfixError):
    """Something was changed, or may have been, and its outcome is unknown."""

    exit_code = 5


class Unexpected(NotVerified):
    """A bug, raised from the error that nothing in replfix expects."""

    def __init__(self, error: Exception) -> None:
        super().__init__(
            f"replfix failed in the middle of it: {type(error).__name__}: {error}",
            "Something may have been changed. 'replfix recover' puts settings back and finds out how far it came; what it was about is on record "
            "('replfix audit list'). This is a bug in replfix: please report it.",
        )


class AuditError(ReplfixError):
    """The audit trail cannot be written or read: nothing was changed."""

    exit_code = 4


class PostgresqlError(ReplfixError):
    """A PostgreSQL server answered a statement with an error: its SQLSTATE and its own words."""

    exit_code = 6

    def __init__(self, server: str, sqlstate: str, text: str) -> None:
        super().__init__(
            f"{server} answered SQLSTATE {sqlstate}: {text}",
            "Look it up in appendix A of PostgreSQL's documentation, and at the server's log.",
        )
        self.sqlstate = sqlstate


class ServerError(ReplfixError):
    """The server answered a statement with an error that nothing in replfix expects: its number and its own words."""

    exit_code = 6

    def __init__(self, server: str, errno: int, text: str) -> None:
        super().__init__(
            f"{server} answered error {errno}: {text}",
            "Look this number up in the server's error reference, and at its error log; --verbose says what was asked for.",
        )
        self.errno = errno
        self.text = text
