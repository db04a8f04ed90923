"""What the families of servers do in different ways when they are asked for their binary log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.errors import Unreadable
from replfix.mysql.binlog.stream import Request
from replfix.mysql.connection.session import Session


class LogDialect(Protocol):
    """One family. Every request introduces the session as a reader first, so that it can be sent as it is.

    Each method may raise :class:`~replfix.errors.ReplicationError` for what the server does not have (any more).
    """

    @property
    def charsets(self) -> tuple[str, ...]:
        """The questions that ``charset_of`` asks."""
        ...

    def parse(self, gtid: str) -> GtidSet:
        """Return the set of that one GTID; ValueError for anything else."""
        ...

    def one(self, session: Session, gtid: str) -> tuple[str, Request]:
        """Return a GTID as its events will spell it, and what to ask for. ValueError for what is not one GTID."""
        ...

    def those(self, session: Session, gtids: GtidSet) -> tuple[GtidSet, Request]:
        """Return those of a set that the log may still have, and what to ask for."""
        ...

    def position(self, session: Session, start: LogPosition) -> Request:
        """Return the request for everything from a position on, which has to be the border of an event."""
        ...

    def charset_of(self, session: Session) -> Callable[[int], str]:
        """Return the character set of each collation number in events: asked of the server, not known by heart."""
        ...


def charsets(session: Session, query: str) -> Callable[[int], str]:
    """By a query for ``id`` and ``charset``. :class:`Unreadable` for a collation that it does not give."""
    endpoint = session.endpoint
    by_number = {int(row["id"]): str(row["charset"]) for row in session.query(query) if row["id"] is not None}

    def charset_of(collation: int) -> str:
        try:
            return by_number[collation]
        except KeyError:
            raise Unreadable(f"{endpoint} does not know collation {collation}, which an event names.") from None

    return charset_of
