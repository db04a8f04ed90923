"""What the workflow needs from the world outside: a few Protocols, implemented in ``mysql/`` and ``audit/``.

A test may stand in at a port with a fake; what is behind a port is tested on real servers.
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
    """What is read from a server in either role. Every method may raise ConnectError, PrivilegeError, ServerError."""

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
        """What its binary logs no longer hold."""
        ...

    def table(self, name: TableName) -> Table | None:
        """The table's definition now, None when there is none."""
        ...

    def definition(self, schema: str, table: str | None) -> str | None:
        """SHOW CREATE TABLE, or SHOW CREATE DATABASE for ``table`` None; None when there is no such object."""
        ...

    def script(self, kind: str, name: TableName) -> tuple[str, ...]:
        """Statements that make a routine, trigger, event or view as this server has it; empty when there is none, or the account may
        not see its body."""
        ...

    def library_of(self, plugin: str) -> str | None:
        """The library that a plugin or storage engine is loaded from; None when it is not, or is built in."""
        ...

    def grants_of(self, account: str) -> tuple[str, ...] | None:
        """SHOW GRANTS, with nothing of how it signs in; None when there is no such account. ``account`` as a statement has it."""
        ...

    def rows_up_to(self, name: TableName, limit: int) -> int | None:
        """How many rows a table has; None for more than ``limit``."""
        ...

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        """The rows that each look-up finds, all of one consistent snapshot; every look-up is in the answer."""
        ...

    def count(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
        """How many rows each look-up finds; for what may be too many to be read."""
        ...

    def find_uncommitted(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        """As ``find``, without a snapshot, rows of XA transactions that are only prepared included."""
        ...

    def auto_increment(self) -> AutoIncrement:
        """The global auto_increment_increment and auto_increment_offset."""
        ...

    def variables(self, names: Sequence[str]) -> dict[str, str | None]:
        """Global variables by name; None for one that this server does not have."""
        ...

    def server_ids(self) -> frozenset[int]:
        """Its own server_id, and those of its replicas as far as they can be seen."""
        ...

    def readers(self) -> tuple[Reader, ...] | None:
        """The servers that read its binlog now; None: the account may not see them."""
        ...

    def granted(self) -> Granted:
        """What the account may do."""
        ...

    def transaction(self, gtid: str) -> Transaction:
        """A transaction out of this server's binlog. ReplicationError: not there (any more); Unreadable: not decodable."""
        ...

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        """Those of ``gtids`` that this server's binlog holds, in the log's order, at most ``limit``."""
        ...

    def counter(self, table: Table) -> Counter | None:
        """Its AUTO_INCREMENT column now, None when it has none."""
        ...

    def programs(self, naming: TableName) -> tuple[Program, ...]:
        """Triggers and events in whose body that table is named, as far as the account may see them."""
        ...

    def created(self, name: TableName) -> datetime | None:
        """Since when the table's definition is what it is; None when that is not known."""
        ...

    def readable(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        """As ``transactions``, with a note in place of each that is not decodable."""
        ...

    def transaction_at(self, low: LogPosition, end_log_pos: int, log_file: str = "") -> Transaction:
        """The transaction in which an event ends at ``end_log_pos``, read forward from ``low``, the start of it or of an
        earlier one: what an applier's error says of a transaction without a GTID. Errors as ``transaction``."""
        ...

    def transactions_from(self, start: LogPosition, limit: int) -> Iterator[Transaction]:
        """The transactions from ``start`` on, which is the start of one, at most ``limit``: a backlog without GTIDs."""
        ...

    def readable_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        """As ``transactions_from``, to the end of the log, with a note in place of each that is not decodable."""
        ...

    def version(self) -> str:
        """As VERSION() says it: MariaDB's has its name in it."""
        ...

    def connected(self) -> Connected:
        """How the connection to it is made, and what of it is encrypted and checked."""
        ...

    def clock(self) -> ClockReading:
        """The server's clock against this machine's."""
        ...

    def format_description(self) -> bytes:
        """The Format_description event of its first binlog, fit for a BINLOG statement. Errors as ``transaction``."""
        ...

    def channels(self) -> tuple[ChannelStatus, ...]:
        """What it reads from itself; empty for a server that is no replica."""
        ...

    def feeder(self, channel: ChannelStatus) -> Server | None:
        """The server that one of its channels reads from, where the configuration names it; None where it does not. ConnectError
        when it cannot be reached."""
        ...

    def serves(self, channel: ChannelStatus) -> str:
        """Why this source cannot send what the channel's receiver would ask for when it is started (MariaDB in GTID mode); empty
        when it can, and where no receiver asks in that way."""
        ...

    def reach(self, writes: Sequence[tuple[TableName, str]]) -> Reach:
        """The triggers that writes on those tables can fire, each INSERT, UPDATE or DELETE, and what speaks against it."""
        ...

    def writing(self) -> AbstractContextManager[Writing]:
        """A session whose changes are logged, for what a plan writes on the source."""
        ...


class Replica(Server, Protocol):
    def connected_as(self, connection: int) -> str | None:
        """``user@host`` of a connection that is still open."""
        ...

    def inventory(self, names: int) -> Inventory:
        """Tables and events that matter to repairs, as far as the account sees them, with at most ``names`` names of each."""
        ...

    def encrypted(self, channel: str) -> bool | None:
        """Whether the channel's receiver uses TLS; None where the server does not tell."""
        ...

    def try_binlog(self, format_description: bytes) -> None:
        """A BINLOG statement with that event alone, in a session of its own: it changes nothing, and takes the privileges
        that a rehearsal takes. PrivilegeError or ServerError when it is refused."""
        ...

    def logs_all(self) -> bool:
        """Whether its binlog holds every change, also of what it applies: nothing is left out by a setting."""
        ...

    def worked_out_otherwise(self, table: Table, images: Sequence[RowImage]) -> Column | None:
        """A generated column that its expression gives another value than those rows hold, one in a unique key first. Unreadable where
        none of them does, as far as that can be worked out, and not all can be."""
        ...

    def not_as_events(self, table: Table) -> str:
        """Why rows of that table cannot be written as row events; empty when they can."""
        ...

    def status(self) -> ReplicaStatus:
        """How it stands now. ReplicationError when the server is no replica."""
        ...

    def duplicates(self, table: Table, key: UniqueKey, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        """Values that several rows hold in the columns of ``key``, as text, each with its number of rows; the most first."""
        ...

    def orphans(self, key: ForeignKeyClause, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        """Values of a foreign key to be that no row of the parent has, as text, each with its number of rows; the most first."""
        ...

    def lock_holders(self, tables: Sequence[TableName]) -> tuple[LockHolder, ...] | None:
        """Sessions that hold locks on rows of those tables, or on the tables themselves, the oldest transaction first. None where the
        server does not show them."""
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
        """START REPLICA for threads of one channel, as ``core/replication/start_threads.py`` has decided; the applier up to and with ``until``, up
        to and without ``before``, or with ``gaps`` until nothing is left open before the last transaction that any worker
        committed.

        Refused where the account has only a cloud's procedures, and they cannot do that.
        """
        ...

    def written_here(self, server_id: int, limit: int) -> tuple[Transaction, ...]:
        """The newest transactions of its own binlog with that server_id, at most ``limit``, of the log's newest part."""
        ...

    def relayed(self, channel: str, gtid: str | None, end_log_pos: int | None) -> Transaction:
        """A transaction that the channel has received and not applied, out of its relay log: by its GTID, else as the first
        in which an event ends at that position of the source's binlog. Raises as ``transaction``; ReplicationError with every
        reason where the relay log cannot be read from here."""
        ...

    def received(self, channel: ChannelStatus, transaction: Transaction) -> bool | None:
        """Whether the channel has received that transaction with the same rows events; None where its relay log does not tell, or
        cannot be read from here."""
        ...

    def starts_receiver_alone(self) -> bool:
        """Whether ``start`` can start the receiver without the applier."""
        ...

    def stops_after(self, transaction: TransactionId) -> bool:
        """Whether ``start`` can end with ``until``; without it, a channel can only be started to run on."""
        ...

    def stop(self, channel: str, threads: Threads) -> None:
        """STOP REPLICA for threads of one channel."""
        ...

    def replicas_below(self) -> tuple[str, ...]:
        """The servers that read this one's binlog now, for people: ``host:port``. Empty where the account may not see them."""
        ...

    def repair(self, channel: str) -> AbstractContextManager[Repair]:
        """The one place that writes, for one holder per channel: Busy when another has it."""
        ...


class Inquiry(Protocol):
    """What ``explain`` asks of a server, a replica or not. Every method may raise ConnectError, PrivilegeError, ServerError."""

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        ...

    def version(self) -> str: ...

    def replicates(self) -> bool | None:
        """Whether it has a replication channel of its own; None when the account may not know."""
        ...

    def read_only(self) -> bool: ...

    def auto_increment(self) -> AutoIncrement:
        """The global auto_increment_increment and auto_increment_offset."""
        ...

    def keys_named(self, key: str, limit: int) -> list[tuple[TableName, str]]:
        """Unique keys that ``key`` can mean, as ``table.index`` or as ``index``; at most ``limit``."""
        ...

    def tables_named(self, name: str, limit: int) -> list[TableName]:
        """The tables of that name, in every schema."""
        ...

    def table(self, name: TableName) -> Table | None:
        """The table's definition now, None when there is none."""
        ...

    def shown(self, table: Table, matches: Sequence[Match], limit: int) -> tuple[RowImage, ...]:
        """At most ``limit`` rows that fit; ServerError when looking takes longer than a few seconds."""
        ...

    def counter(self, table: Table, column: Column) -> Counter:
        """The AUTO_INCREMENT column's next and highest value, as they are now."""
        ...


class KeySpaces(Protocol):
    """What ``advise`` asks of a server. Every method may raise ConnectError, PrivilegeError, ServerError."""

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        ...

    def uuid(self) -> str:
        """As ``Server.uuid``."""
        ...

    def channels(self) -> tuple[ChannelStatus, ...]:
        """What it reads from; empty for a server that is no replica."""
        ...

    def node(self, name: str, channels: Sequence[ChannelStatus]) -> Node:
        """Settings, tables, keys and highest ids; without the counters' next values and without the log."""
        ...

    def next_values(self) -> Mapping[TableName, int]:
        """What each AUTO_INCREMENT counter stands at, now."""
        ...

    def next_value(self, table: TableName) -> int | None:
        """The same for one table."""
        ...

    def numbers(
        self, table: TableName, column: str, step: IncrementSetting, least: int, most: int
    ) -> tuple[int, int, int] | None:
        """How many rows have a number in that range that ``step`` gives, the lowest and the highest; None for none."""
        ...

    def log(self, node: Node) -> LogSample:
        """What the server itself wrote lately. ``node`` is what the method of that name gave. ReplicationError, Unreadable."""
        ...


class Repair(Protocol):
    """A held channel. Its session logs nothing (sql_log_bin=0)."""

    def alone(self) -> AbstractContextManager[None]:
        """While inside, no other replfix changes settings of this server, whichever channel it holds. Busy otherwise."""
        ...

    def settings(self) -> dict[str, str]:
        """The global variables that have to change before rows can be written, with their values now."""
        ...

    def server_time(self) -> datetime:
        """By the server's clock, in UTC."""
        ...

    def setting(self, name: str) -> SettingNow | None:
        """One of those variables, and when it was last set; None for a name that is none of them."""
        ...

    def writable(self, settings: Mapping[str, str]) -> AbstractContextManager[None]:
        """Change those settings; put them back on the way out, whatever happens. NotVerified when that fails."""
        ...

    def put_back(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        """Set those variables to those values, for what an interrupted run left behind; those that were not so. Only what a run
        may have changed, and only back to protection: what else a record says is not done."""
        ...

    def rehearse(self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]) -> None:
        """Carry out the plan and the transaction's own events, look at the rows, roll everything back.

        RehearsalFailed with the server's words, Stale when a row is not what the plan says.
        """
        ...

    def commit_transaction(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        """The transaction's own events as the plan's way says, in one logged transaction under its GTID; ``guard`` is called
        last before COMMIT. Raises as ``apply``."""
        ...

    def rehearse_leaving_out(self, plan: Plan) -> None:
        """For a plan that leaves its transaction out: only whether the account may do that. RehearsalFailed,
        PrivilegeError."""
        ...

    def commit_empty(self, plan: Plan, guard: Callable[[], None]) -> None:
        """An empty transaction under the plan's GTID, ``guard`` called last before COMMIT. Raises as ``apply``."""
        ...

    def check_skip_counter(self) -> None:
        """Stale when it is not 0: whatever is started next would leave something out."""
        ...

    def skip_counter(self) -> str:
        """The name of the variable that makes the channel's applier pass over a transaction."""
        ...

    def set_skip_counter(self) -> None:
        """To 1; ``put_back`` makes it 0 again. Stale as ``check_skip_counter``, NotDone or PrivilegeError when refused."""
        ...

    def apply(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        """Carry out the plan in one transaction: rows locked, compared and counted, ``guard`` called last before COMMIT.

        Whatever is raised before COMMIT was sent: rolled back, nothing changed. NotVerified: the connection was lost
        while the server committed, so the outcome is not known.
        """
        ...


class Writing(Protocol):
    """Carries out the steps of a plan on its source, all of them or none, in one logged transaction."""

    def rehearse(self, part: SourceWrite, tables: Mapping[TableName, Table]) -> None:
        """Carry them out, look at the rows, roll everything back. RehearsalFailed with the server's words, Stale when a row is
        not what the plan says, PrivilegeError with the GRANT."""
        ...

    def write(
        self, part: SourceWrite, tables: Mapping[TableName, Table], tell: Callable[[tuple[Step, ...]], None]
    ) -> None:
        """The same, and COMMIT. ``tell`` is called last before it, with the steps as they were carried out: keys that the
        source gave are in their rows. Raises as ``Repair.apply``."""
        ...


class Trail(Protocol):
    def append(
        self, kind: RecordKind, *, incident: str, replica: str, channel: str, payload: Mapping[str, object]
    ) -> AuditRecord:
        """Durable when it returns; AuditError otherwise."""
        ...

    def check_room(self, *payloads: Mapping[str, object]) -> None:
        """AuditError where there is no room for records of those."""
        ...

    def open_settings(self) -> list[AuditRecord]:
        """Records of settings that were changed on some server and not reported as put back."""
        ...

    def open_intents(self) -> list[AuditRecord]:
        """Intents of which no outcome tells what became of them, oldest first."""
        ...

    def get(self, id_prefix: str) -> AuditRecord:
        """The record whose id begins so; UsageError when there is none, or more than one."""
        ...

    def records(
        self, *, incident: str | None = None, limit: int | None = None, newest_first: bool = False
    ) -> Iterator[AuditRecord]:
        """The records of one incident, or of all, oldest first if not said otherwise."""
        ...

    def verify(self) -> Verification:
        """The whole of it judged, as it is now."""
        ...


TrailToRead = Callable[[], AbstractContextManager[Trail]]
"""The trail, opened where it is needed. AuditError or ConfigError when it cannot be."""


class Clock(Protocol):
    def now(self) -> float:
        """Seconds, monotonic."""
        ...

    def sleep(self, seconds: float) -> None: ...


SourceOf = Callable[[ChannelStatus], Server]
"""The source of a channel, connected; ConnectError when it cannot be."""

Progress = Callable[[str], None]
"""Is told what is being done, in words for people."""
