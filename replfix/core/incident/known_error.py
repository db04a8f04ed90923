"""What replfix knows about the errors that stop replication: one family of errors that call for the same answer.

Names are those of ``performance_schema.events_errors_summary_global_by_error`` on 9.7; a number that 9.7 no longer gives
has the name of its successor.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache


class Kind(enum.StrEnum):
    """What kind of trouble an error is: what has to happen before the channel can go on."""

    ROW_CONFLICT = "row-conflict"  # rows of the replica are not what the transaction expects
    TRANSIENT = "transient"  # nothing is wrong with rows or tables: the transaction has to be tried again
    SCHEMA_DRIFT = "schema-drift"  # a schema, table, column or key is not the same on both servers
    DATA_REFUSED = "data-refused"  # the replica's definitions or settings refuse a value that the source took
    RECEIVER = "receiver"  # the replica does not get the source's binlog
    RELAY_LOG = "relay-log"  # what the replica received cannot be read
    HOST = "host"  # the replica's own machine prevents it
    SERVER = "server"  # the replica's server refuses: a privilege, a setting, a limit, something that it lacks
    FOLLOW_UP = "follow-up"  # says only that something else went wrong


class Thread(enum.StrEnum):
    """The thread that an error stopped."""

    APPLIER = "applier"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Family:
    """Error numbers that call for the same answer; ``page`` is the name of its page in docs/errors/.

    ``means``, ``replfix`` and ``human`` are sentences: what the error says, what replfix does about it, and what is
    left to a human. ``mariadb``: numbers of MariaDB alone, which on MySQL do not exist or are another error.
    ``settings``: variables that are read from both servers to say more.
    """

    page: str
    kind: Kind
    thread: Thread
    errors: Mapping[int, str]
    means: str
    replfix: str
    human: str
    mariadb: Mapping[int, str] = field(default_factory=dict)
    settings: tuple[str, ...] = ()

    @property
    def names(self) -> dict[int, str]:
        """Every number with its symbol."""
        return {**self.errors, **self.mariadb}


@cache
def families() -> tuple[Family, ...]:
    """Return every family, by the name of its page."""
    from replfix.core.known_errors.families import (
        FAMILIES,  # these say with an incident's evidence what to do, and this is part of it
    )

    return tuple(guidance.FAMILY for guidance in FAMILIES)


_FROM_4000 = range(4000, 5000)
"""Numbers that MySQL and MariaDB gave away apart."""


@cache
def _by_number(mariadb: bool) -> Mapping[tuple[Thread, int], Family]:
    found: dict[tuple[Thread, int], Family] = {}
    for family in families():
        shared = (number for number in family.errors if not mariadb or number not in _FROM_4000)
        found.update({(family.thread, number): family for number in shared})
    for family in families() if mariadb else ():
        found.update({(family.thread, number): family for number in family.mariadb})
    return found


def family_of(errno: int, thread: Thread = Thread.APPLIER, product: str = "MySQL") -> Family | None:
    """Return the family of an error of that thread; None when no family has its number."""
    return _by_number(product == "MariaDB").get((thread, errno))


def name_of(errno: int, thread: Thread = Thread.APPLIER, product: str = "MySQL") -> str | None:
    """Return the error's symbol, as ``ER_DUP_ENTRY``."""
    family = family_of(errno, thread, product)
    return family.names[errno] if family else None
