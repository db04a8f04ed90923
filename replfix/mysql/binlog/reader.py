"""Single transactions of a server, by their GTIDs, from its own binary log."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from replfix.core.endpoint import Endpoint
from replfix.core.gtid import GtidSet
from replfix.core.row_event import Transaction
from replfix.core.table import Table, TableName
from replfix.errors import ReplicationError, Unreadable
from replfix.mysql.binlog.limits import LIMITS, Limits
from replfix.mysql.binlog.log import events
from replfix.mysql.binlog.stream import purged, raw_events
from replfix.mysql.binlog.transaction import Schema, among, transactions
from replfix.mysql.connection import Session


class BinlogReader:
    """Reads transactions from one server's binary log. Each call opens a connection of its own and closes it.

    Needs REPLICATION SLAVE and nothing else. ``definition_of`` gives a table as the server defines it now; it is asked
    only where the log itself does not name the columns (``binlog_row_metadata=MINIMAL``).
    """

    def __init__(
        self, endpoint: Endpoint, definition_of: Callable[[TableName], Table], limits: Limits = LIMITS
    ) -> None:
        self.endpoint = endpoint
        self.definition_of = definition_of
        self.limits = limits

    def transaction(self, gtid: str) -> Transaction:
        """The transaction of that GTID, whole.

        :class:`ReplicationError` when the server never executed it, has purged it or did not log it;
        :class:`Unreadable` when it holds what replfix does not read. ValueError for what is not one GTID.
        """
        wanted = GtidSet.parse(gtid)
        if len(wanted) != 1:
            raise ValueError(f"not one GTID: {gtid!r}")
        with Session(self.endpoint) as session:
            executed, gone = _executed_and_purged(session)
            if not wanted <= executed:
                raise ReplicationError(
                    f"{self.endpoint} has never executed {gtid}.",
                    "Check that this is the server the transaction came from, and that its gtid_mode is ON.",
                )
            if wanted <= gone:
                raise purged(session, gtid)
            for found in self._read(session, wanted, executed - wanted):
                return found
        raise ReplicationError(
            f"No binary log of {self.endpoint} holds {gtid}.",
            "Without log_replica_updates a replica does not log what it applies: read it from the source.",
        )

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        """Those transactions of a set that the server's binary log still holds, in its order, at most ``limit``.

        :class:`Unreadable` at the first that replfix does not read.
        """
        with Session(self.endpoint) as session:
            executed, gone = _executed_and_purged(session)
            left = (gtids & executed) - gone
            if not left:
                return
            for number, found in enumerate(self._read(session, left, executed - left), 1):
                yield found
                assert found.gtid is not None  # only those were asked for
                left -= GtidSet.parse(found.gtid)
                if number >= limit or not left:
                    return

    def _read(self, session: Session, wanted: GtidSet, without: GtidSet) -> Iterator[Transaction]:
        schema = Schema(self.definition_of, _charsets(session), self.limits)
        return transactions(events(raw_events(session, without)), among(wanted), schema)


def _executed_and_purged(session: Session) -> tuple[GtidSet, GtidSet]:
    row = session.query("SELECT @@global.gtid_executed AS executed, @@global.gtid_purged AS purged")[0]
    return GtidSet.parse(row["executed"]), GtidSet.parse(row["purged"])


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
