"""Single transactions of a server, by their GTIDs, from its own binary log."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from replfix.core.endpoint import Endpoint
from replfix.core.gtid import GtidSet
from replfix.core.row_event import Transaction
from replfix.core.table import Table, TableName
from replfix.errors import ReplicationError, Unreadable
from replfix.mysql.binlog.log import events
from replfix.mysql.binlog.stream import purged, raw_events
from replfix.mysql.binlog.transaction import Schema, transactions
from replfix.mysql.connection import Session

_SHOWN = 200


class BinlogReader:
    """Reads transactions from one server's binary log. Each call opens a connection of its own and closes it.

    Needs REPLICATION SLAVE and nothing else. ``definition_of`` gives a table as the server defines it now; it is asked
    only where the log itself does not name the columns (``binlog_row_metadata=MINIMAL``).
    """

    def __init__(self, endpoint: Endpoint, definition_of: Callable[[TableName], Table]) -> None:
        self.endpoint = endpoint
        self.definition_of = definition_of

    def transaction(self, gtid: str) -> Transaction:
        """The transaction of that GTID, whole.

        :class:`ReplicationError` when the server never executed it or has purged it,
        :class:`~replfix.errors.Unreadable` when it holds what replfix does not read. ValueError for no single GTID.
        """
        wanted = GtidSet.parse(gtid)
        if len(wanted) != 1:
            raise ValueError(f"not one GTID: {gtid!r}")
        return next(self.transactions(wanted, 1))

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        """The transactions of a set in the order of the log, at most ``limit`` of them.

        Errors as for :meth:`transaction`; one that is not readable ends the iteration.
        """
        if not gtids or limit < 1:
            return
        missing = gtids
        with Session(self.endpoint) as session:
            without = self._all_but(session, gtids)
            schema = Schema(self.definition_of, _charsets(session))
            for found in transactions(events(raw_events(session, without)), gtids, schema):
                yield found
                limit -= 1
                missing -= GtidSet.parse(found.gtid)
                if not limit or not missing:
                    return
        raise ReplicationError(
            f"No binary log of {self.endpoint} holds {_shown(missing)}.",
            "Without log_replica_updates a replica does not log what it applies: read it from the source.",
        )

    def _all_but(self, session: Session, gtids: GtidSet) -> GtidSet:
        """What the server has, without the GTIDs wanted: the server sends the rest."""
        executed = GtidSet.parse(session.scalar("SELECT @@global.gtid_executed"))
        if unknown := gtids - executed:
            raise ReplicationError(
                f"{self.endpoint} has never executed {_shown(unknown)}.",
                "Check that this is the server the transaction came from, and that its gtid_mode is ON.",
            )
        kept = gtids - GtidSet.parse(session.scalar("SELECT @@global.gtid_purged"))
        if gone := gtids - kept:
            raise purged(session, _shown(gone))
        return executed - gtids


def _charsets(session: Session) -> Callable[[int], str]:
    """The character set of each collation, by the number that events hold: asked of the server, not known by heart."""
    rows = session.query("SELECT ID AS id, CHARACTER_SET_NAME AS charset FROM information_schema.COLLATIONS")
    by_number = {int(row["id"]): str(row["charset"]) for row in rows if row["id"] is not None}

    def charset_of(collation: int) -> str:
        try:
            return by_number[collation]
        except KeyError:
            raise Unreadable(f"{session.endpoint} does not know collation {collation}, which an event names.") from None

    return charset_of


def _shown(gtids: GtidSet) -> str:
    text = str(gtids)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
