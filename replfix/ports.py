"""What the workflow needs from servers, the audit trail and the clock: Protocols, implemented in ``mysql/`` and ``audit/``.

A test may put a fake in the place of a port. The implementations are tested on real servers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from replfix.core.advisor.node import IncrementSetting, LogSample, Node
from replfix.core.binlog.alter_table import ForeignKeyClause
from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.columns.key_probe import Match
from replfix.core.connection.limits import Limits
from replfix.core.connection.privileges import Granted
from replfix.core.doctor.checkup import ClockReading, Connected, Inventory
from replfix.core.incident.evidence import LockHolder
from replfix.core.incident.incident_context import Program
from replfix.core.plan.left_changed import SettingNow
from replfix.core.plan.plan import Plan, SourceWrite, Step
from replfix.core.plan.trigger_reach import Reach
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.readers import Reader
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.start_threads import Threads
from replfix.core.replication.transaction_id import LogPosition, TransactionId
from replfix.core.rows.lookup import Answers, Lookup
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.table import Column, Table, TableName, UniqueKey
from replfix.core.trail.audit_record import AuditRecord, RecordKind, Verification


class Server(Protocol):
    """Read from a server in either role. Every method may raise ConnectError, PrivilegeError, ServerError."""

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        ...

    @property
    def limits(self) -> Limits:
        """What it may send, and how long it may keep a diagnosis."""
        ...

    def uuid(self) -> str:
        """server_uuid; of MariaDB its server_id, "server_id 2"."""
        ...

    def executed(self) -> GtidSet:
        """gtid_executed, now; of MariaDB what it has logged and applied."""
        ...

    def purged(self) -> GtidSet:
        """Return the GTIDs that its binary logs no longer contain."""
        ...

    def table(self, name: TableName) -> Table | None:
        """Return the table's definition now, None when there is no such table."""
        ...

    def definition(self, schema: str, table: str | None) -> str | None:
        """SHOW CREATE TABLE, or SHOW CREATE DATABASE for ``table`` None; None when there is no such object."""
        ...

    def script(self, kind: str, name: TableName) -> tuple[str, ...]:
        """Return the statements that create a routine, trigger, event or view as this server has it.

        Empty when there is no such object, or the account may not see its body.
        """
        ...

    def library_of(self, plugin: str) -> str | None:
        """Return the library that a plugin or storage engine is loaded from; None when it is not loaded, or is built in."""
        ...

    def grants_of(self, account: str) -> tuple[str, ...] | None:
        """Return SHOW GRANTS without the authentication; None when there is no such account. ``account`` is quoted for SQL."""
        ...

    def rows_up_to(self, name: TableName, limit: int) -> int | None:
        """Return how many rows a table has; None for more than ``limit``."""
        ...

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        """Return the rows that each look-up finds, all from one consistent snapshot; every look-up is in the answer."""
        ...

    def count(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
        """Return how many rows each look-up finds; for rows that may be too many to read."""
        ...

    def find_uncommitted(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        """Do as ``find``, without a snapshot, and with rows of XA transactions that are only prepared."""
        ...

    def auto_increment(self) -> AutoIncrement:
        """Return the global auto_increment_increment and auto_increment_offset."""
        ...

    def variables(self, names: Sequence[str]) -> dict[str, str | None]:
        """Global variables by name; None for one that this server does not have."""
        ...

    def server_ids(self) -> frozenset[int]:
        """Return its own server_id, and those of its replicas as far as they can be seen."""
        ...

    def readers(self) -> tuple[Reader, ...] | None:
        """Return the servers that read its binlog now; None when the account may not see them."""
        ...

    def granted(self) -> Granted:
        """Return the privileges of the account."""
        ...

    def transaction(self, gtid: str) -> Transaction:
        """Return a transaction from this server's binlog. ReplicationError: not there (any more); Unreadable: not decodable."""
        ...

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        """Return those of ``gtids`` that are in this server's binlog, in the log's order, at most ``limit``."""
        ...

    def counter(self, table: Table) -> Counter | None:
        """Return the table's AUTO_INCREMENT column now, None when it has none."""
        ...

    def programs(self, naming: TableName) -> tuple[Program, ...]:
        """Triggers and events in whose body that table is named, as far as the account may see them."""
        ...

    def created(self, name: TableName) -> datetime | None:
        """Since when the table's definition is what it is; None when that is not known."""
        ...

    def readable(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        """Do as ``transactions``, with a note in place of each transaction that is not decodable."""
        ...

    def transaction_at(self, low: LogPosition, end_log_pos: int, log_file: str = "") -> Transaction:
        """Return the transaction in which an event ends at ``end_log_pos``; without GTIDs the applier's error names no more.

        It is read forward from ``low``, which is the start of it or of an earlier transaction. Errors as
        ``transaction``.
        """
        ...

    def transactions_from(self, start: LogPosition, limit: int) -> Iterator[Transaction]:
        """Return at most ``limit`` transactions from ``start`` on, the start of one: a backlog without GTIDs."""
        ...

    def readable_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        """Do as ``transactions_from``, to the end of the log, with a note in place of each that is not decodable."""
        ...

    def version(self) -> str:
        """Return VERSION(); that of MariaDB has its name in it."""
        ...

    def connected(self) -> Connected:
        """Return how it is connected to, and what of the connection is encrypted and checked."""
        ...

    def clock(self) -> ClockReading:
        """Return the server's clock against this machine's."""
        ...

    def format_description(self) -> bytes:
        """Return the first binlog's Format_description event, fit for a BINLOG statement. Errors as ``transaction``."""
        ...

    def channels(self) -> tuple[ChannelStatus, ...]:
        """Return the channels' states; empty for a server that is no replica."""
        ...

    def feeder(self, channel: ChannelStatus) -> Server | None:
        """Return the server that one of its channels reads from; None where the configuration does not name it.

        ConnectError when it cannot be reached.
        """
        ...

    def serves(self, channel: ChannelStatus) -> str:
        """Return why this source cannot send what the channel's receiver would ask for when it is started.

        Empty when it can, and where no receiver asks in that way (all but MariaDB in GTID mode).
        """
        ...

    def reach(self, writes: Sequence[tuple[TableName, str]]) -> Reach:
        """Return the triggers that each INSERT, UPDATE or DELETE on those tables can fire, and the objections."""
        ...

    def writing(self) -> AbstractContextManager[Writing]:
        """Return a session whose changes are logged, for the rows that a plan writes on the source."""
        ...


class Replica(Server, Protocol):
    """Read from a replica, start its channels, and get the one :class:`Repair` that may write to it."""

    def connected_as(self, connection: int) -> str | None:
        """``user@host`` of a connection that is still open."""
        ...

    def inventory(self, names: int) -> Inventory:
        """Return tables and events that matter to repairs, where the account sees them, at most ``names`` names of each."""
        ...

    def encrypted(self, channel: str) -> bool | None:
        """Return whether the channel's receiver uses TLS; None where the server does not show it."""
        ...

    def try_binlog(self, format_description: bytes) -> None:
        """Run a BINLOG statement with that event alone: it changes nothing, and needs the privileges of a rehearsal.

        It runs in a session of its own. PrivilegeError or ServerError when it is rejected.
        """
        ...

    def logs_all(self) -> bool:
        """Return whether its binlog has every change, those that it applies too: no setting leaves anything out."""
        ...

    def worked_out_otherwise(self, table: Table, images: Sequence[RowImage]) -> Column | None:
        """Return a generated column whose expression gives another value than those rows have, one in a unique key first.

        Unreadable where no such column is found and not all of them can be computed.
        """
        ...

    def not_as_events(self, table: Table) -> str:
        """Return why rows of that table cannot be written as row events; empty when they can."""
        ...

    def status(self) -> ReplicaStatus:
        """Return the state of its channels now. ReplicationError when the server is no replica."""
        ...

    def duplicates(self, table: Table, key: UniqueKey, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        """Return, as text, values that several rows have in ``key``'s columns, with the number of rows; the most first."""
        ...

    def orphans(self, key: ForeignKeyClause, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        """Return, as text, values that no parent has for a planned foreign key, with the number of rows; the most first."""
        ...

    def lock_holders(self, tables: Sequence[TableName]) -> tuple[LockHolder, ...] | None:
        """Return the sessions that hold locks on rows of those tables, or on the tables, the oldest transaction first.

        None where the server does not show them.
        """
        ...

    def start(
        self,
        channel: str,
        threads: Threads,
        *,
        until: TransactionId | None = None,
        before: TransactionId | None = None,
        gaps: bool = False,
    ) -> None:
        """Run START REPLICA for threads of one channel, as ``core/replication/start_threads.py`` has decided.

        The applier runs up to and with ``until``, up to and without ``before``, or with ``gaps`` until no transaction
        is missing before the last one that any worker committed. Refused where the account has only a cloud's
        procedures, and they cannot do that.
        """
        ...

    def written_here(self, server_id: int, limit: int) -> tuple[Transaction, ...]:
        """Return the newest transactions with that server_id in the newest part of its own binlog, at most ``limit``."""
        ...

    def relayed(self, channel: str, gtid: str | None, end_log_pos: int | None) -> Transaction:
        """Return a transaction that the channel has received and not applied, from its relay log.

        It is found by its GTID, else as the first in which an event ends at that position of the source's binlog.
        Raises as ``transaction``; ReplicationError with every reason where the relay log cannot be read from here.
        """
        ...

    def received(self, channel: ChannelStatus, transaction: Transaction) -> bool | None:
        """Return whether the channel has received that transaction with the same rows events.

        None where its relay log does not show it, or cannot be read from here.
        """
        ...

    def starts_receiver_alone(self) -> bool:
        """Return whether ``start`` can start the receiver without the applier."""
        ...

    def stops_after(self, transaction: TransactionId) -> bool:
        """Return whether ``start`` takes ``until``; without it, a started channel runs on."""
        ...

    def stop(self, channel: str, threads: Threads) -> None:
        """STOP REPLICA for threads of one channel."""
        ...

    def replicas_below(self) -> tuple[str, ...]:
        """Return the servers that read this one's binlog now, as ``host:port``; empty where the account may not see them."""
        ...

    def repair(self, channel: str) -> AbstractContextManager[Repair]:
        """Return the only way to write, for one run per channel: Busy when another has it."""
        ...


class Inquiry(Protocol):
    """Asked by ``explain`` of a server, a replica or not. Every method may raise ConnectError, PrivilegeError, ServerError."""

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        ...

    def version(self) -> str:
        """Return VERSION()."""

    def replicates(self) -> bool | None:
        """Return whether it has a replication channel of its own; None when the account may not see that."""
        ...

    def read_only(self) -> bool:
        """Return whether the server has read_only on."""

    def auto_increment(self) -> AutoIncrement:
        """Return the global auto_increment_increment and auto_increment_offset."""
        ...

    def keys_named(self, key: str, limit: int) -> list[tuple[TableName, str]]:
        """Return the unique keys that ``key`` can mean, as ``table.index`` or as ``index``; at most ``limit``."""
        ...

    def tables_named(self, name: str, limit: int) -> list[TableName]:
        """Return the tables of that name, in every schema."""
        ...

    def table(self, name: TableName) -> Table | None:
        """Return the table's definition now, None when there is none."""
        ...

    def shown(self, table: Table, matches: Sequence[Match], limit: int) -> tuple[RowImage, ...]:
        """Return at most ``limit`` rows that fit; ServerError when the query takes longer than a few seconds."""
        ...

    def counter(self, table: Table, column: Column) -> Counter:
        """Return the AUTO_INCREMENT column's next and highest value, as they are now."""
        ...


class KeySpaces(Protocol):
    """What ``advise`` asks of a server. Every method may raise ConnectError, PrivilegeError, ServerError."""

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        ...

    def uuid(self) -> str:
        """Return the server's UUID, as ``Server.uuid``."""
        ...

    def channels(self) -> tuple[ChannelStatus, ...]:
        """Return the channels' states; empty for a server that is no replica."""
        ...

    def node(self, name: str, channels: Sequence[ChannelStatus]) -> Node:
        """Return settings, tables, keys and highest ids; without the counters' next values and without the log."""
        ...

    def next_values(self) -> Mapping[TableName, int]:
        """Return the next value of each AUTO_INCREMENT counter, now."""
        ...

    def next_value(self, table: TableName) -> int | None:
        """Return the next value of one table's AUTO_INCREMENT counter, now."""
        ...

    def numbers(
        self, table: TableName, column: str, step: IncrementSetting, least: int, most: int
    ) -> tuple[int, int, int] | None:
        """Return how many rows have a number that ``step`` gives in that range, the lowest and the highest; None for none."""
        ...

    def log(self, node: Node) -> LogSample:
        """Return what the server itself wrote lately; ``node`` comes from the method of that name. ReplicationError, Unreadable."""
        ...


class Repair(Protocol):
    """A channel that this run has reserved. Its session logs nothing (sql_log_bin=0)."""

    def alone(self) -> AbstractContextManager[None]:
        """Keep every other replfix from changing settings of this server while inside, on any channel. Busy otherwise."""
        ...

    def settings(self) -> dict[str, str]:
        """Return the global variables that have to change before rows can be written, with their values now."""
        ...

    def server_time(self) -> datetime:
        """By the server's clock, in UTC."""
        ...

    def setting(self, name: str) -> SettingNow | None:
        """Return one of those variables, and when it was last set; None for a name that is none of them."""
        ...

    def writable(self, settings: Mapping[str, str]) -> AbstractContextManager[None]:
        """Change those settings; put them back on the way out, whatever happens. NotVerified when that fails."""
        ...

    def put_back(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        """Set those variables to those values where they differ, after an interrupted run; return those that were set.

        Only variables that a run may have changed, and only back to protection: anything else in a record is not done.
        """
        ...

    def rehearse(self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]) -> None:
        """Carry out the plan and the transaction's own events, look at the rows, roll everything back.

        RehearsalFailed with the server's words, Stale when a row is not what the plan says.
        """
        ...

    def commit_transaction(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        """Commit the transaction's own events under its GTID, logged and in one transaction, in the plan's apply mode.

        ``guard`` is called last before COMMIT. Raises as ``apply``.
        """
        ...

    def rehearse_leaving_out(self, plan: Plan) -> None:
        """Check, for a plan that leaves its transaction out, only whether the account may do that.

        RehearsalFailed, PrivilegeError.
        """
        ...

    def commit_empty(self, plan: Plan, guard: Callable[[], None]) -> None:
        """Commit an empty transaction under the plan's GTID; ``guard`` is called last before COMMIT. Raises as ``apply``."""
        ...

    def check_skip_counter(self) -> None:
        """Stale when it is not 0: whatever is started next would leave something out."""
        ...

    def skip_counter(self) -> str:
        """Return the name of the variable that makes the channel's applier skip a transaction."""
        ...

    def set_skip_counter(self) -> None:
        """Set it to 1; ``put_back`` sets it to 0. Stale as ``check_skip_counter``, NotDone or PrivilegeError when rejected."""
        ...

    def apply(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        """Execute the plan in one transaction: lock, compare and count the rows, call ``guard`` last before COMMIT.

        Whatever is raised before COMMIT was sent: rolled back, nothing changed. NotVerified: the connection was lost
        while the server committed, so the outcome is unknown.
        """
        ...


class Writing(Protocol):
    """Carries out the steps of a plan on its source, all of them or none, in one logged transaction."""

    def rehearse(self, part: SourceWrite, tables: Mapping[TableName, Table]) -> None:
        """Execute the steps, read the rows, roll everything back.

        RehearsalFailed with the server's message, Stale when a row is not as in the plan, PrivilegeError with the
        GRANT.
        """
        ...

    def write(
        self, part: SourceWrite, tables: Mapping[TableName, Table], tell: Callable[[tuple[Step, ...]], None]
    ) -> None:
        """Execute the steps, read the rows, and COMMIT.

        ``tell`` is called last before COMMIT, with the steps as executed: keys that the source generated are in their
        rows. Raises as ``Repair.apply``.
        """
        ...


class Trail(Protocol):
    """The audit trail: records in a hash chain, appended only."""

    def append(
        self, kind: RecordKind, *, incident: str, replica: str, channel: str, payload: Mapping[str, object]
    ) -> AuditRecord:
        """Durable when it returns; AuditError otherwise."""
        ...

    def check_room(self, *payloads: Mapping[str, object]) -> None:
        """AuditError where there is no room for records of those."""
        ...

    def open_settings(self) -> list[AuditRecord]:
        """Return the records of settings that were changed on some server and not reported as put back."""
        ...

    def open_intents(self) -> list[AuditRecord]:
        """Return the intents without an outcome, oldest first."""
        ...

    def get(self, id_prefix: str) -> AuditRecord:
        """Return the record whose id begins so; UsageError when there is none, or more than one."""
        ...

    def records(
        self, *, incident: str | None = None, limit: int | None = None, newest_first: bool = False
    ) -> Iterator[AuditRecord]:
        """Return the records of one incident, or of all, oldest first by default."""
        ...

    def verify(self) -> Verification:
        """Check the whole trail as it is now, and return the verdict."""
        ...


TrailToRead = Callable[[], AbstractContextManager[Trail]]
"""The trail, opened where it is needed. AuditError or ConfigError when it cannot be."""


class Clock(Protocol):
    """Time for the workflow, so that tests need not wait."""

    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for so many seconds."""


SourceOf = Callable[[ChannelStatus], Server]
"""The source of a channel, connected; ConnectError when it cannot be."""

Progress = Callable[[str], None]
"""Called with each step that is done, in words for people."""
