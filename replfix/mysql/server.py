"""A MySQL or MariaDB server in either role: it implements the ports of the workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from replfix.core import sql
from replfix.core.connection.endpoint import Endpoint
from replfix.core.connection.limits import Limits
from replfix.core.connection.privileges import Granted, Role, parse_grants
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.readers import Reader
from replfix.core.replication.replica_status import ChannelStatus, RelayLog, ReplicaStatus
from replfix.core.replication.start_threads import Threads
from replfix.core.replication.transaction_id import LogPosition, TransactionId
from replfix.core.rows.lookup import Answers, Lookup
from replfix.core.rows.row_values import RowImage, Value
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.filters import NO_FILTERS, Filters
from replfix.core.schema.table import Column, Table, TableName, UniqueKey
from replfix.core.schema.tested_versions import too_old
from replfix.core.sql.table_facts import FactRows, TableFact
from replfix.deadline import within
from replfix.errors import PrivilegeError, Refused, ReplicationError, ServerError, TooOld, Unreadable
from replfix.mysql.connection.dialects import Dialect, dialect_of
from replfix.mysql.connection.grants import GRANTED, give_everything
from replfix.mysql.connection.managed import procedures_of
from replfix.mysql.connection.managed.procedures import SIGNALLED, Procedures
from replfix.mysql.connection.session import Session
from replfix.mysql.read.find_rows import count_all, count_named, find_in_snapshot, find_uncommitted, named, weights
from replfix.mysql.read.own_log import logs_all
from replfix.mysql.read.relay_files import PLACE
from replfix.mysql.read.status_rows import read_readers, read_server_ids, readers_statements
from replfix.mysql.read.stored_objects import grants_of, library_of, script
from replfix.mysql.read.table_definitions import SYSTEM_VERSIONED, about, counted, read_columns, read_kind, read_table
from replfix.one_look import look
from replfix.wire.understood import understood

if TYPE_CHECKING:  # what a status does not need is imported where it is used: a status is asked for often
    from replfix.core.binlog.alter_table import ForeignKeyClause
    from replfix.core.binlog.row_event import PassedOver, Transaction
    from replfix.core.doctor.checkup import ClockReading, Connected, Inventory
    from replfix.core.incident.evidence import LockHolder
    from replfix.core.incident.incident_context import Program
    from replfix.core.plan.trigger_reach import Reach
    from replfix.mysql.binlog import BinlogReader
    from replfix.mysql.binlog.assemble import Tables
    from replfix.mysql.read.inquiry import ServerInquiry
    from replfix.mysql.read.key_spaces import ServerKeySpaces
    from replfix.mysql.read.read_before import ReadBefore, RecordedColumns
    from replfix.mysql.write.repair import HeldChannel
    from replfix.mysql.write.source_session import SourceSession

_ALL_VARIABLES = "SHOW GLOBAL VARIABLES"
_AUTO_INCREMENT = "SELECT @@global.auto_increment_increment, @@global.auto_increment_offset"

STATUS_SECONDS = 60
"""For the status of replication."""
_OWN_LOG_READ = 64 << 20
"""Bytes of the server's own binlog that are read in search of what was written there; a few seconds."""

_NO_SUCH_OBJECT = (1049, 1146)  # ER_BAD_DB_ERROR, ER_NO_SUCH_TABLE
_OPTION_PREVENTS = 1290  # ER_OPTION_PREVENTS_STATEMENT


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else f"0x{value.hex().upper()}" if isinstance(value, bytes) else str(value)


NamedAt = Callable[[str, int], "MysqlServer | None"]


@understood
class MysqlServer:
    """Reads through one session, opened when it is first needed. Implements ``ports.Replica``."""

    def __init__(self, endpoint: Endpoint, named_at: NamedAt = lambda *_: None) -> None:
        """``named_at``: the server of a host and port, where the configuration names one."""
        self.endpoint = endpoint
        self._named_at = named_at
        self._held: HeldChannel | None = None
        self._applied_by: tuple[MysqlServer, Filters] | None = None

    @property
    def _writing(self) -> Session:
        """The session in which a channel is started and stopped: while the channel is locked, the one with the lock.

        The server keeps the lock of a client that was killed until what that client had asked for is done.
        """
        return self._session if self._held is None else self._held.session

    @cached_property
    def _session(self) -> Session:
        return Session(self.endpoint, values=sql.SESSION_VALUES, reads=True)

    @cached_property
    def _dialect(self) -> Dialect:
        return dialect_of(self._session)

    @cached_property
    def _binlog(self) -> BinlogReader:
        from replfix.mysql.binlog import BinlogReader, log_dialect
        from replfix.mysql.read.generated_columns import filled_in

        there = self._where_applied
        where_applied = None if there is None else replace(there, columns_of=self._recorded[1])
        return BinlogReader(
            self.endpoint,
            self._recorded[0],
            partial(filled_in, self._session),
            where_applied=where_applied,
            charset_of=lambda: log_dialect(self._session).charset_of(self._session),
        )

    @cached_property
    def _recorded(self) -> tuple[RecordedColumns, ...]:
        """The definitions that a reader of the binlog was given: of this server, and of the replica that applies it."""
        from replfix.mysql.read.read_before import RecordedColumns

        there = self._where_applied
        return (RecordedColumns(self._columns), *([] if there is None else [RecordedColumns(there.columns_of)]))

    @cached_property
    def _read_before(self) -> ReadBefore:
        from replfix.mysql.read.read_before import ReadBefore

        return ReadBefore(self._binlog, self.executed, self._recorded)

    def _columns(self, name: TableName) -> tuple[Column, ...]:
        """By the name that events have."""
        with self._about(name):
            columns = read_columns(self._session, name)
        if not columns and read_kind(self._session, name) == SYSTEM_VERSIONED:
            raise Unreadable(
                f"{name} on {self.address} is system-versioned: its events have the period of each row, and replfix does not "
                "read such tables.",
                "Repair it by hand, or leave the transaction out with --strategy skip.",
            )
        if not columns:
            raise Unreadable(
                f"{self.address} has no table {name} any more, so its events cannot be read.",
                "Column names and signs come from the server's schema unless it logs binlog_row_metadata=FULL.",
            )
        return columns

    def applied_by(self, replica: MysqlServer, filters: Filters) -> None:
        """Read events of tables altered here since with the definitions of that replica, which has yet to apply them."""
        self._applied_by = (replica, filters)

    @property
    def _where_applied(self) -> Tables | None:
        replica, filters = self._applied_by or (None, NO_FILTERS)
        return None if replica is None else replica._tables_by_source(filters)

    def _tables_by_source(self, filters: Filters) -> Tables:
        """Return this replica's tables by the names that they have on the source, in place of the source's own."""
        from replfix.mysql.binlog.assemble import Tables
        from replfix.mysql.read.as_applied import applied_as
        from replfix.mysql.read.generated_columns import filled_in

        def here(name: TableName) -> TableName:
            return applied_as(filters, name) or name

        return Tables(
            lambda name: self._columns(here(name)),
            lambda name, columns, images: filled_in(self._session, here(name), columns, images),
        )

    @property
    def address(self) -> str:
        return str(self.endpoint)

    def connect(self) -> None:
        """Open the session now; ConnectError when that cannot be done."""
        _ = self._session

    def close(self) -> None:
        session: Session | None = self.__dict__.pop("_session", None)  # a poll that fails closes it in its own thread
        if session is not None:
            session.close()

    @property
    def limits(self) -> Limits:
        return self.endpoint.limits

    def _begin(self, *more: str) -> None:
        """Ask at once for what every diagnosis asks of a server, when it asks for the first of it."""
        now = look()
        if now is None or not now.whole or self in now.begun or self._session.asks_again():
            return
        from replfix.mysql.binlog import log_dialect

        now.begun.add(self)
        of_channels, charsets = self._dialect.of_channels, log_dialect(self._session).charsets
        also = (
            *self._dialect.own,
            _ALL_VARIABLES,
            _AUTO_INCREMENT,
            *GRANTED,
            *more,
            *charsets,
            readers_statements(self._session)[0],
        )
        with self._session.at_once(*of_channels, *also, lossy=self._dialect.channels):
            return

    def uuid(self) -> str:
        self._begin()
        return self._dialect.identity(self._session)

    def executed(self) -> GtidSet:
        self._begin()
        return self._dialect.executed(self._session)

    def purged(self) -> GtidSet:
        return self._dialect.purged(self._session)

    def table(self, name: TableName) -> Table | None:
        with self._about(name):
            return read_table(self._session, name)

    def _about(self, name: TableName) -> AbstractContextManager[None]:
        """Ask at once for what is asked of a table, in a diagnosis also for what comes next of it."""
        now = look()
        next_: tuple[str, ...] = ()
        if now is not None and now.whole:
            next_ = (sql.show_create_schema(name.schema), sql.show_create_table(name), *counted(self._session, name))
        return self._session.at_once(*about(self._session, name), *next_)

    def definition(self, schema: str, table: str | None) -> str | None:
        statement = sql.show_create_schema(schema) if table is None else sql.show_create_table(TableName(schema, table))
        try:
            rows = self._session.rows(statement)
        except ServerError as error:
            if error.errno in _NO_SUCH_OBJECT:
                return None
            raise
        return str(rows[0][1])

    def script(self, kind: str, name: TableName) -> tuple[str, ...]:
        return script(self._session, kind, name)

    def library_of(self, plugin: str) -> str | None:
        return library_of(self._session, plugin)

    def grants_of(self, account: str) -> tuple[str, ...] | None:
        return grants_of(self._session, account)

    def rows_up_to(self, name: TableName, limit: int) -> int | None:
        found = int(self._session.scalar(sql.count_up_to(name, limit + 1)))
        return None if found > limit else found

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        return find_in_snapshot(self._session, tables, lookups) if lookups else {}

    def count(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
        return count_all(self._session, tables, lookups)

    def named(
        self, table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]], columns: Sequence[Column]
    ) -> list[tuple[Value, ...]]:
        return named(self._session, table, key, values, columns)

    def count_named(self, table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]]) -> int:
        return count_named(self._session, table, key, values)

    def weights(self, column: Column, values: Sequence[str]) -> list[bytes]:
        return weights(self._session, column, values)

    def find_uncommitted(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        return find_uncommitted(self._session, tables, lookups) if lookups else {}

    def auto_increment(self) -> AutoIncrement:
        row = self._session.rows(_AUTO_INCREMENT)[0]
        return AutoIncrement(int(row[0]), int(row[1]))

    def variables(self, names: Sequence[str]) -> dict[str, str | None]:
        # MariaDB has no performance_schema.global_variables; information_schema has no such table in MySQL any more.
        now = look()
        ask = (
            (_ALL_VARIABLES,)
            if now is not None and now.whole
            else (f"{_ALL_VARIABLES} WHERE Variable_name IN %s", (tuple(names),))
        )
        found = {row["Variable_name"]: row["Value"] for row in self._session.query(*ask)}
        return {name: found.get(name) for name in names}

    def server_ids(self) -> frozenset[int]:
        return read_server_ids(self._session)

    def granted(self) -> Granted:
        granted = self._granted()
        managed = procedures_of(self._session, granted)
        self.__dict__.setdefault("_managed", managed)
        return granted if managed is None else replace(granted, stands_in=managed.in_words(self._workers()))

    def _granted(self) -> Granted:
        with self._session.at_once(*GRANTED):
            return self._read_grants()

    def _read_grants(self) -> Granted:
        account = str(self._session.scalar(GRANTED[0]))
        try:
            lines = [str(row[0]) for row in self._session.rows(GRANTED[1])]
        except ServerError as error:
            if error.errno != _OPTION_PREVENTS:
                raise
            lines = ["GRANT ALL PRIVILEGES ON *.* TO ``@``"]  # --skip-grant-tables: everybody may do everything
        return parse_grants(account, lines, self._dialect.needs)

    @cached_property
    def _managed(self) -> Procedures | None:
        return procedures_of(self._session, self._granted())

    def _workers(self) -> int:
        return self._dialect.workers(self._session)

    def starts_receiver_alone(self) -> bool:
        return self._managed is None

    def stops_after(self, transaction: TransactionId) -> bool:
        return self._managed is None or self._managed.has_end(transaction, self._workers())

    def transaction(self, gtid: str, near: LogPosition | None = None) -> Transaction:
        return self._read_before.transaction(gtid, near)

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        return self._read_before.transactions(gtids, limit)

    def transaction_at(self, low: LogPosition, end_log_pos: int, log_file: str = "") -> Transaction:
        return self._binlog.transaction_at(low, end_log_pos, log_file)

    def transactions_from(self, start: LogPosition, limit: int) -> Iterator[Transaction]:
        return self._binlog.transactions_from(start, limit)

    def readable_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        return self._binlog.readable_from(start)

    def readable(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        return self._read_before.readable(gtids)

    def waiting_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        return self._binlog.waiting_from(start)

    def waiting(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        return self._binlog.waiting(gtids)

    def counter(self, table: Table) -> Counter | None:
        from replfix.mysql.read import circumstances

        column = next((c for c in table.columns if c.auto_increment), None)
        return None if column is None else circumstances.counter(self._session, table, column)

    def programs(self, naming: TableName) -> tuple[Program, ...]:
        from replfix.mysql.read import circumstances

        return circumstances.programs(self._session, naming)

    def fact(self, fact: TableFact, name: TableName) -> FactRows:
        from replfix.mysql.read import circumstances

        with self._session.at_once(*circumstances.about(self._session, name)):
            return circumstances.fact(self._session, fact, name)

    def connected_as(self, connection: int) -> str | None:
        from replfix.mysql.read import circumstances

        return circumstances.connected_as(self._session, connection)

    def logs_all(self) -> bool:
        return logs_all(self._session)

    def worked_out_otherwise(self, table: Table, images: Sequence[RowImage]) -> Column | None:
        from replfix.mysql.read.generated_columns import worked_out_otherwise

        return worked_out_otherwise(self._session, table, images)

    def written_here(self, server_id: int, limit: int) -> tuple[Transaction, ...]:
        return self._binlog.written_here(server_id, limit, _OWN_LOG_READ)

    def relayed(self, channel: str, gtid: str | None, end_log_pos: int | None) -> Transaction:
        from replfix.mysql.read.as_applied import as_applied
        from replfix.mysql.read.relayed import read_relayed

        found = self.status().channel(channel)
        if found is None:
            raise ReplicationError(f"{self.address} has no channel {channel!r}.")
        tables = self._tables_by_source(filters := found.filters)
        return as_applied(read_relayed(self._session, tables, found, gtid, end_log_pos), filters)

    def waiting_here(self, channel: ChannelStatus, executed: GtidSet) -> Iterator[Transaction | PassedOver]:
        from replfix.core.binlog.row_event import Transaction
        from replfix.mysql.read.as_applied import as_applied
        from replfix.mysql.read.relayed import read_waiting

        for found in read_waiting(self._session, self._tables_by_source(channel.filters), channel, executed):
            yield as_applied(found, channel.filters) if isinstance(found, Transaction) else found

    def received(self, channel: ChannelStatus, transaction: Transaction) -> bool | None:
        from replfix.mysql.read.relayed import received_the_same

        return received_the_same(self._session, channel, transaction)

    def status(self) -> ReplicaStatus:
        # MySQL's older statement has a status row too; of an older MariaDB nothing is known.
        if self._session.is_mariadb and (reason := too_old("MariaDB", self._session.server_version)):
            raise TooOld(reason, "Upgrade the replica first, then its source.")
        self._begin(PLACE)
        try:
            status = self._status()
        except PrivilegeError as error:
            raise PrivilegeError(error.message, give_everything(self._session, Role.REPLICA)) from None
        if all(c.relay_log is RelayLog.KEPT for c in status.channels) or self._managed is None:
            return status
        # A cloud's procedures stop and start both threads.
        return replace(status, channels=tuple(replace(c, relay_log=RelayLog.REPLACED) for c in status.channels))

    def duplicates(self, table: Table, key: UniqueKey, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        rows = self._session.rows(sql.duplicate_values(table, key, limit))
        return tuple((tuple(map(_as_text, values)), int(count)) for *values, count in rows)

    def orphans(self, key: ForeignKeyClause, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        rows = self._session.rows(sql.orphaned_values(key, limit))
        return tuple((tuple(map(_as_text, values)), int(count)) for *values, count in rows)

    def lock_holders(self, tables: Sequence[TableName]) -> tuple[LockHolder, ...] | None:
        from replfix.mysql.read.locks import read_lock_holders

        return read_lock_holders(self._session, tables)

    def start(
        self,
        channel: str,
        threads: Threads,
        *,
        until: TransactionId | None = None,
        before: TransactionId | None = None,
        gaps: bool = False,
    ) -> None:
        if self._managed is None:
            for statement in self._dialect.start(channel, threads, until=until, before=before, gaps=gaps):
                self._writing.execute(statement)
            return
        if threads is Threads.RECEIVER:
            raise Refused(
                f"{self._managed.cloud} has no procedure that starts the receiver of a channel alone.",
                "Nothing was started. Start the channel, and resolve what it stops on.",
            )
        if before is not None or gaps or (until is not None and not self.stops_after(until)):
            raise Refused(
                f"{self._managed.cloud} has no procedure that starts a channel up to there.",
                "Nothing was started. Start the channel, and resolve what it stops on.",
            )
        for statement in self._managed.calls(channel, until):
            try:
                self._writing.execute(statement)
            except ServerError as error:
                if error.errno != SIGNALLED:  # a procedure's own words; the channel's status is read afterwards
                    raise

    def not_as_events(self, table: Table) -> str:
        from replfix.mysql.binlog.events.crafted import obstacle

        if table.triggers and self._dialect.fires_triggers(self._session):
            return f"{table.name} has triggers, and this server fires them for row events too."
        return obstacle(table)

    def stop(self, channel: str, threads: Threads) -> None:
        self._writing.execute(self._dialect.stop(channel, threads))

    def serves(self, channel: ChannelStatus) -> str:
        return self._binlog.serves(channel.asks_from) if channel.asks_from is not None else ""

    def replicas_below(self) -> tuple[str, ...]:
        return tuple(str(reader) for reader in self.readers() or ())

    def readers(self) -> tuple[Reader, ...] | None:
        return read_readers(self._session)

    def version(self) -> str:
        return str(self._session.scalar("SELECT VERSION()"))

    def connected(self) -> Connected:
        from replfix.mysql.read.inspection import read_connected

        return read_connected(self._session)

    def clock(self) -> ClockReading:
        from replfix.mysql.read.inspection import read_clock

        return read_clock(self._session)

    def format_description(self) -> bytes:
        return self._binlog.format_description()

    def inventory(self, names: int) -> Inventory:
        from replfix.mysql.read.inspection import read_inventory

        return read_inventory(self._session, names)

    def encrypted(self, channel: str) -> bool | None:
        from replfix.mysql.read.inspection import is_encrypted

        return is_encrypted(self._session, channel)

    def try_binlog(self, format_description: bytes) -> None:
        from replfix.mysql.read.inspection import try_binlog

        try_binlog(self.endpoint, format_description)

    def inquiry(self) -> ServerInquiry:
        from replfix.mysql.read.inquiry import ServerInquiry

        return ServerInquiry(self.endpoint, lambda: self._session)

    def _status(self) -> ReplicaStatus:
        with within(STATUS_SECONDS, "to read the status of replication"):
            return self._dialect.status(self._session)

    def channels(self) -> tuple[ChannelStatus, ...]:
        self._begin()
        try:
            return (
                self._status().channels
            )  # what is not granted here is no replica's business: no GRANT of all that one takes
        except ReplicationError:
            return ()

    def feeder(self, channel: ChannelStatus) -> MysqlServer | None:
        return self._named_at(channel.source_host, channel.source_port)

    def reach(self, writes: Sequence[tuple[TableName, str]]) -> Reach:
        from replfix.mysql.read.trigger_targets import read_reach

        return read_reach(self._session, writes)

    def writing(self) -> SourceSession:
        from replfix.mysql.write.source_session import SourceSession

        return SourceSession(self.endpoint)

    def key_spaces(self) -> ServerKeySpaces:
        from replfix.mysql.read.key_spaces import ServerKeySpaces

        return ServerKeySpaces(self.endpoint, lambda: self._session)

    @contextmanager
    def repair(self, channel: str) -> Iterator[HeldChannel]:
        from replfix.mysql.write.repair import HeldChannel

        with HeldChannel(self.endpoint, channel) as held:
            self._held = held
            try:
                yield held
            finally:
                self._held = None
