"""Single transactions of a server, and runs of them, from its own binary log."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate

from replfix.core.binlog.row_event import LoggedAsStatement, PassedOver, Transaction
from replfix.core.connection.endpoint import Endpoint
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.errors import ReplicationError
from replfix.mysql.binlog.assemble import (
    ColumnsOf,
    FillIn,
    Schema,
    Tables,
    Wanted,
    among,
    readable,
    transactions,
    waiting,
)
from replfix.mysql.binlog.dialect import LogDialect
from replfix.mysql.binlog.events.checked_events import HEADER_SIZE, Event, EventType, events, read_format
from replfix.mysql.binlog.events.openings import OPENINGS, opening
from replfix.mysql.binlog.mariadb_log import MariadbLog
from replfix.mysql.binlog.mysql_log import MysqlLog
from replfix.mysql.binlog.search import start_of
from replfix.mysql.binlog.stream import Request, raw_events
from replfix.mysql.connection.session import Session

SOON_BYTES = 1 << 24
"""How far after a position a transaction is looked for that is asked for by its GTID otherwise."""
_TYPE_AT = 4  # of an event's header, after the timestamp

_WITHOUT_FILE = (
    "The replica's error names no binary log file: this is the first transaction after what it has applied in which an "
    "event ends at position {pos}."
)


class BinlogReader:
    """Reads transactions from one server's binary log.

    Each call opens a connection of its own and closes it. Needs REPLICATION SLAVE and nothing else. ``columns_of``
    gives a table's columns as the server defines them now; it is asked only where the log itself does not name the
    columns (``binlog_row_metadata=MINIMAL``), or does not have all of them as they are. ``where_applied`` is the
    definitions of the replica that applies the log, asked where the server has altered its table since. ``charset_of``
    gives the character set of each collation's number, where it is known otherwise.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        columns_of: ColumnsOf,
        fill_in: FillIn | None = None,
        where_applied: Tables | None = None,
        charset_of: Callable[[], Callable[[int], str]] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.columns_of = columns_of
        self.fill_in = fill_in
        self.where_applied = where_applied
        self._charsets = charset_of
        self._charset_of: Callable[[int], str] | None = None

    def transaction(self, gtid: str, near: LogPosition | None = None) -> Transaction:
        """Return the transaction of that GTID, whole.

        Asked for its GTID, the server reads its log from the beginning of a file. ``near``, the start of that
        transaction or of one a little before it, saves that. It is a hint: the transaction is known by its GTID alone,
        and where it does not come soon after that position, it is asked for by its GTID. :class:`ReplicationError` when the server never executed it, has purged it or did not log it;
        :class:`Unreadable` when there is something in it that replfix does not read. ValueError for what is not one
        GTID.
        """
        if near is not None and (soon := self._soon_after(near, gtid)) is not None:
            return soon
        with Session(self.endpoint, reads=True) as session:
            dialect = log_dialect(session)
            spelled, request = dialect.one(session, gtid)
            for found in self._read(session, dialect, request, lambda opening: opening.gtid == spelled):
                return found
        raise ReplicationError(
            f"No binary log of {self.endpoint} has {gtid}.",
            "Without log_replica_updates a replica does not log what it applies: read it from the source.",
        )

    def _soon_after(self, start: LogPosition, gtid: str) -> Transaction | None:
        """Return the transaction where it comes within ``SOON_BYTES``; None where not, or where the position is none."""
        with Session(self.endpoint, reads=True) as session:
            dialect = log_dialect(session)
            wanted = dialect.parse(gtid)
            try:
                sent = raw_events(session, dialect.position(session, start))
                schema = self._schema(session, dialect)
                return next(transactions(_until(events(sent), wanted), among(wanted), schema), None)
            except LoggedAsStatement:  # it is found
                raise
            except ReplicationError:
                return None

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        """Yield those transactions of a set that are still in the server's binary log, in its order, at most ``limit``.

        :class:`Unreadable` at the first that replfix does not read.
        """
        with Session(self.endpoint, reads=True) as session:
            dialect = log_dialect(session)
            left, request = dialect.those(session, gtids)
            if not left:
                return
            for number, found in enumerate(self._read(session, dialect, request, among(left)), 1):
                yield found
                assert found.gtid is not None  # only those were asked for
                left -= dialect.parse(found.gtid)
                if number >= limit or not left:
                    return

    def readable(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        """Do as ``transactions``, with a note in place of each that replfix does not read."""
        with Session(self.endpoint, reads=True) as session:
            dialect = log_dialect(session)
            left, request = dialect.those(session, gtids)
            if not left:
                return
            schema = self._schema(session, dialect)
            for found in readable(events(raw_events(session, request)), among(left), schema):
                yield found
                left -= dialect.parse(str(found.gtid))
                if not left:
                    return

    def waiting(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        """Do as ``readable``, with the statements of transactions that are logged so."""
        with Session(self.endpoint) as session:
            dialect = log_dialect(session)
            left, request = dialect.those(session, gtids)
            if not left:
                return
            schema = self._schema(session, dialect)
            for found in waiting(events(raw_events(session, request)), among(left), schema):
                yield found
                left -= dialect.parse(str(found.gtid))
                if not left:
                    return

    def waiting_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        """Do as ``readable_from``, with the statements of transactions that are logged so."""
        with Session(self.endpoint) as session:
            dialect = log_dialect(session)
            schema = self._schema(session, dialect)
            stream = events(raw_events(session, dialect.position(session, start)))
            yield from waiting(stream, lambda _: True, schema)

    def transaction_at(self, low: LogPosition, end_log_pos: int, log_file: str = "") -> Transaction:
        """Return the transaction in which an event ends at ``end_log_pos`` of ``log_file``.

        An applier's error says no more of a transaction without a GTID. ``low`` is the start of that transaction or of
        an earlier one, e.g. how far the replica has applied. Without ``log_file`` (9.7 leaves it empty) the first such
        event after ``low`` counts, and a note says so. :class:`ReplicationError` when there is none, or no such file
        any more.
        """
        begin = low if not log_file or log_file == low.log_file else LogPosition(log_file, 0)
        with Session(self.endpoint, reads=True) as session:
            request = log_dialect(session).position(session, begin)
            start = start_of(events(raw_events(session, request)), end_log_pos, log_file)
        if start is None:
            raise ReplicationError(
                f"No transaction in the binary log of {self.endpoint} has an event that ends at "
                f"{log_file or begin.log_file}:{end_log_pos} (read from {begin} on).",
                "Check that this is the server that the replica reads from.",
            )
        for found in self.transactions_from(start, 1):
            return found if log_file else replace(found, notes=(*found.notes, _WITHOUT_FILE.format(pos=end_log_pos)))
        raise ReplicationError(f"{self.endpoint} does not have the transaction at {start} any more.")

    def transactions_from(self, start: LogPosition, limit: int) -> Iterator[Transaction]:
        """Yield at most ``limit`` transactions from a position on, which is the start of one.

        :class:`Unreadable` at the first that replfix does not read.
        """
        with Session(self.endpoint, reads=True) as session:
            dialect = log_dialect(session)
            request = dialect.position(session, start)
            found = self._read(session, dialect, request, lambda _: True)
            for _, transaction in zip(range(limit), found, strict=False):
                yield transaction

    def readable_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        """Do as ``transactions_from``, to the end of the log, with a note in place of each that replfix does not read."""
        with Session(self.endpoint, reads=True) as session:
            dialect = log_dialect(session)
            schema = self._schema(session, dialect)
            stream = events(raw_events(session, dialect.position(session, start)))
            yield from readable(stream, lambda _: True, schema)

    def written_here(self, server_id: int, limit: int, most: int) -> tuple[Transaction, ...]:
        """Return the newest transactions with the server's own server_id, for servers without GTIDs.

        At most ``limit``, of the newest files of at most ``most`` bytes (the newest one whatever its size).
        """
        with Session(self.endpoint, reads=True) as session:
            files = session.query("SHOW BINARY LOGS")
            sizes = accumulate(int(row["File_size"]) for row in reversed(files))
            newest = max(1, sum(size <= most for size in sizes))
            start = LogPosition(str(files[-newest:][0]["Log_name"]), 0)
            dialect = log_dialect(session)
            schema = self._schema(session, dialect)
            stream = events(raw_events(session, dialect.position(session, start)))
            found: deque[Transaction] = deque(maxlen=limit)
            for one in readable(stream, lambda _: True, schema):
                if isinstance(one, Transaction) and one.server_id == server_id:
                    found.append(one)
            return tuple(found)

    def format_description(self) -> bytes:
        """Return the Format_description event of the server's first log, in the form of ``Transaction.raw``."""
        with Session(self.endpoint, reads=True) as session:
            first = log_dialect(session).position(session, LogPosition("", 0))
            for raw in raw_events(session, first):
                if len(raw) > HEADER_SIZE and raw[_TYPE_AT] == EventType.FORMAT_DESCRIPTION:
                    return read_format(raw).raw
        raise ReplicationError(f"{self.endpoint} sent no binary log.", "Check its log_bin.")

    def serves(self, position: str) -> str:
        """Return why the server cannot send what follows that GTID position of MariaDB; empty when it can."""
        with Session(self.endpoint, reads=True) as session:
            try:
                next(raw_events(session, MariadbLog().behind(session, position)), None)
            except ReplicationError as error:
                return error.message
        return ""

    def _schema(self, session: Session, dialect: LogDialect) -> Schema:
        if self._charset_of is None:  # as long as the server runs, they are the same
            self._charset_of = self._charsets() if self._charsets is not None else dialect.charset_of(session)
        return Schema(self.columns_of, self._charset_of, self.endpoint.limits, self.fill_in, self.where_applied)

    def _read(self, session: Session, dialect: LogDialect, request: Request, wanted: Wanted) -> Iterator[Transaction]:
        return transactions(events(raw_events(session, request)), wanted, self._schema(session, dialect))


def _until(found: Iterator[Event], wanted: GtidSet) -> Iterator[Event]:
    """Yield the events, no more than ``SOON_BYTES`` of transactions that are not wanted."""
    passed, inside = 0, False
    for event in found:
        if event.type in OPENINGS:
            gtid = opening(event).gtid
            inside = gtid is not None and gtid in wanted
        passed += 0 if inside else len(event.raw)
        if passed > SOON_BYTES:
            return
        yield event


def log_dialect(session: Session) -> LogDialect:
    """Return how this server is asked for its log: decided here and nowhere else in this package."""
    return MariadbLog() if session.is_mariadb else MysqlLog()
