"""Everything that was gathered about one incident, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from replfix.core import sql
from replfix.core.binlog.alter_table import ForeignKeyClause, meets_rows
from replfix.core.binlog.column_mapping import OtherType
from replfix.core.binlog.row_event import Transaction
from replfix.core.binlog.statement import Statement
from replfix.core.conflicts.apart_by_key import KeptApart
from replfix.core.conflicts.reconcile import FinalRows, Identity, Reconciliation
from replfix.core.conflicts.swapped_rows import Swap
from replfix.core.incident.incident_context import NOTHING_KNOWN, IncidentContext
from replfix.core.incident.known_error import Family, Kind, Thread, family_of
from replfix.core.incident.source_feasibility import SourceFeasibility
from replfix.core.plan.plan import Step
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.readers import NOT_SHARED, Shared
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.start_threads import Source
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.table import ForeignKey, Table, TableName
from replfix.core.trail.audit_record import AuditRecord
from replfix.errors import ConnectError


@dataclass(frozen=True, slots=True)
class Later:
    """What later transactions of the backlog do to one table."""

    statements: tuple[str, ...] = ()  # that change its definition
    rows: bool = False  # they change rows of it, or may
    by_statement: bool = (
        False  # some of that is logged as statements, or not known: what comes of it depends on the rows then
    )


@dataclass(frozen=True, slots=True)
class BothDefinitions:
    """SHOW CREATE of one schema or table as both servers have it now; None: that server has no such object.

    ``table`` is None for a schema.
    """

    schema: str
    table: str | None
    source: str | None
    replica: str | None
    rows: int | None = None  # how many the replica's table has; None: not counted, or too many
    later: Later | None = None  # what the backlog does to it after the failing transaction; None: unknown

    @property
    def name(self) -> str:
        """The table or schema."""
        return self.schema if self.table is None else f"{self.schema}.{self.table}"

    @property
    def source_then(self) -> str | None:
        """The source's definition right after the failing transaction; None where a later statement may change it.

        None too where it is unknown.
        """
        return self.source if self.later is not None and not self.later.statements else None


@dataclass(frozen=True, slots=True)
class LockHolder:
    """A session of the replica that holds locks on tables of the failing transaction."""

    connection: int
    account: str
    seconds: int  # how long its transaction is open
    tables: tuple[str, ...]
    statement: str  # what it runs, or ran last; empty when that may not be seen

    def in_words(self) -> str:
        """Describe the session for people, with its last statement."""
        statement = f"; its last statement: {self.statement}" if self.statement else ""
        return (
            f"Connection {self.connection} ({self.account}) holds locks on {', '.join(self.tables)}, in a transaction that "
            f"is open for {self.seconds} s{statement}."
        )


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Values of a planned unique key that several rows of the replica have: the first few, each with its number of rows."""

    table: TableName
    key: str
    columns: tuple[str, ...]
    values: tuple[tuple[tuple[str, ...], int], ...]


@dataclass(frozen=True, slots=True)
class Settings:
    """Global variables of both servers; None: that server has none of that name."""

    replica: Mapping[str, str | None]
    source: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Orphans:
    """Values of a foreign key to be that have no row in the parent: the first few, each with its number of rows."""

    key: ForeignKeyClause
    values: tuple[tuple[tuple[str, ...], int], ...]


@dataclass(frozen=True, slots=True)
class Apart:
    """A table whose rows have other keys on each server: how many of the rows asked for only one server has."""

    table: Table
    column: str
    function: str  # of its default
    both: BothDefinitions
    asked_here: int
    only_here: int
    asked_there: int
    only_there: int


@dataclass(frozen=True, slots=True)
class MissingAccount:
    """``name`` as a statement has it.

    ``grants``: what the source's account of that name may do, as GRANT statements without authentication. None: the
    source has no such account, or that is unknown, or it has roles.
    """

    name: str
    grants: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class MissingObject:
    """A routine, trigger, event or view that the failing statement needs and the replica does not have."""

    kind: str
    name: TableName
    script: tuple[str, ...]  # which makes it as the source has it now; empty: the source has none, or does not show it
    later: tuple[str, ...] | None  # statements of the backlog that change it; None: not known
    definer: MissingAccount | None  # that the replica lacks too


@dataclass(frozen=True, slots=True)
class Prepared:
    """The source's transaction that prepared what the failing XA COMMIT or XA ROLLBACK ends, compared with the replica."""

    transaction: Transaction
    tables: Mapping[TableName, Table]
    found: Reconciliation
    applied: tuple[bool, ...]  # for each row that it leaves: does the replica have it like that


@dataclass(frozen=True, slots=True)
class Nulls:
    """Rows of the replica that have NULL in columns that the failing statement makes NOT NULL."""

    table: Table
    columns: tuple[str, ...]
    number: int
    rows: tuple[tuple[RowImage, RowImage | NotRead | None], ...]
    """The first few, each with what it has to be: NULLs replaced by the source's values of now. None: the source has no such row now."""


@dataclass(frozen=True, slots=True)
class EarlierStep:
    """One executed step of an earlier repair or undo, and the rows in question that it deleted or wrote."""

    record: AuditRecord  # its intent
    strategy: str
    on_source: bool  # it was carried out on the server that is the source here
    step: Step
    rows: frozenset[Identity]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything that was read of one incident; causes and strategies read nothing else."""

    status: ReplicaStatus
    channel: ChannelStatus
    error: ApplierError
    source_uuid: str
    transaction: Transaction | None  # None: could not be read; ``unknowns`` says why
    tables: Mapping[TableName, Table]  # the replica's definitions of the transaction's tables
    reconciliation: Reconciliation | None
    applied: tuple[bool, ...]  # for each row that the transaction leaves: does the replica have it like that already
    source_rows: tuple[RowImage | NotRead | None, ...]  # for each conflict: the source's row now; None: it has none
    only_here: OnlyHere  # the replica's transactions that the source has not executed
    local_writes: tuple[Transaction, ...]  # those of them that could be read from the replica's own binlog
    replica_auto_increment: AutoIncrement
    source_auto_increment: AutoIncrement | None
    blind_spots: tuple[str, ...]  # privileges without which the replica hides triggers and foreign keys
    unknowns: tuple[str, ...]
    mismatches: Mapping[TableName, str] = field(
        default_factory=dict
    )  # why rows of other tables are not compared, in words
    below: tuple[str, ...] = ()  # the replicas of this replica
    around: IncidentContext = NOTHING_KNOWN
    thread: Thread = Thread.APPLIER  # which one the error stopped
    statement: Statement | None = None  # that failed, of a transaction that was logged as statements
    logged: Transaction | None = None  # that one, whole, where no row event of it failed
    definitions: tuple[BothDefinitions, ...] = ()  # of the objects that an error of definitions is about
    duplicates: tuple[Duplicates, ...] = ()  # for a statement that adds a unique key
    blocking: tuple[Table, RowImage] | None = None  # the row that a statement meets, as the message names it
    apart: Apart | None = None
    kept_apart: tuple[KeptApart, ...] = ()  # rows of the source, by unique keys that the source's table lacks
    altered: Table | None = None  # the replica's, for a statement that gives its rows values of each server's own
    library: str | None = None  # on the source, of the plugin or engine that the replica lacks
    definers: tuple[MissingAccount, ...] = ()  # that the replica lacks
    missing: MissingObject | None = None
    references_only_here: tuple[ForeignKey, ...] = ()  # for a statement that a foreign key is in the way of
    nulls: Nulls | None = None  # for a statement that makes columns NOT NULL
    orphans: tuple[Orphans, ...] = ()  # for a statement that adds a foreign key
    damaged: str = ""  # what the replica's server says where rows of the transaction's tables cannot be read
    lock_holders: tuple[LockHolder, ...] | None = ()  # None: they cannot be seen
    lost: GtidSet | None = None  # what the replica has not received and the source has purged; None: not known
    counters: Mapping[TableName, Counter] = field(default_factory=dict)  # of tables to which rows are put back
    not_as_events: tuple[str, ...] = ()  # why rows of a table cannot be written as row events
    free_server_id: int | None = (
        None  # for a receiver: one that neither the source nor its replicas have; None: not looked at
    )
    shared: Shared = NOT_SHARED  # for a receiver: other replicas of its source with its identity
    settings: Settings | None = None  # those that the error's family wants to see
    unreachable: ConnectError | None = None  # why the source could not be asked
    doubted: str = ""  # why the transaction that was read may not be the one that the replica stopped on
    prepared: Prepared | None = None  # for an XA COMMIT or XA ROLLBACK of what the replica has not prepared
    copied: tuple[str, ...] = ()  # GTIDs not executed whose rows are there, where none of the source's is executed
    swaps: tuple[Swap, ...] = ()  # rows that another server has as this one does, and the transaction would change
    circle: tuple[str, ...] = ()  # the servers through which what is written here comes to the source, the source first
    source_has: tuple[Source, str] = (
        Source.UNREACHABLE,
        "",
    )  # what was in the relay log, asked where a restart depends on it
    other_types: tuple[OtherType, ...] = ()  # columns that the applier does not convert from the events' types
    earlier: tuple[EarlierStep, ...] = ()  # what replfix did to rows in question, newest first
    on_source: SourceFeasibility | None = None  # where displaced rows can be written there; None where there are none

    @property
    def final(self) -> FinalRows:
        """The rows as the failing transaction leaves them; none where they were not compared."""
        return self.reconciliation.final if self.reconciliation is not None else FinalRows()

    @property
    def ahead(self) -> GtidSet:
        """The replica's transactions that the source has not executed, errant or on their way to it."""
        return self.only_here.every

    @property
    def in_a_larger_one(self) -> bool:
        """Whether the transaction of the statement that failed has more than that."""
        return self.logged is not None and self.statement is not None and not self.statement.whole

    def changes_only(self, name: TableName) -> bool:
        """Return whether the failing transaction's rows could be read and are all of that table."""
        transaction = self.transaction
        return (
            transaction is not None
            and not transaction.statements
            and {change.table for change in transaction.changes} == {name}
        )

    @property
    def failing(self) -> TransactionId | None:
        """The transaction that the applier stopped on, as far as it could be read."""
        if self.transaction is not None:
            return self.transaction.id
        return self.logged.id if self.logged is not None else None

    @property
    def named_channel(self) -> sql.Channel:
        """The channel as statements name it."""
        return sql.Channel(self.channel.name, mariadb=self.status.product == "MariaDB")

    @property
    def may_stop_again(self) -> bool:
        """Whether the failing transaction, without this error, can stop again: all but a single statement that reads no rows."""
        return self.statement is None or not self.statement.whole or meets_rows(self.statement)

    @property
    def logged_already(self) -> bool:
        """The replica's own binlog has the failing transaction, which it did not apply."""
        failing, executed = self.failing, self.status.executed
        gtid = failing.gtid if failing is not None else None
        return isinstance(executed, MariadbGtidSet) and gtid is not None and executed.is_logged_only(gtid)

    @property
    def family(self) -> Family | None:
        """What is known about the error."""
        return family_of(self.error.errno, self.thread, self.status.product)

    @property
    def transient(self) -> bool:
        """Nothing is wrong with rows or tables: the transaction only has to be tried again."""
        return self.family is not None and self.family.kind is Kind.TRANSIENT

    @property
    def rows_compared(self) -> bool:
        """Whether every row of the transaction was compared with the replica's."""
        if self.transaction is None or self.reconciliation is None:
            return False
        return all(change.table in self.tables for change in self.transaction.changes)

    @property
    def stopped_on(self) -> tuple[str, str] | None:
        """Schema and table that the error names. Both names may have dots: the transaction's tables show where to cut."""
        shown = self.error.table
        if shown is None:
            return None
        names = [change.table for change in self.transaction.changes] if self.transaction else []
        for name in dict.fromkeys((*names, *self.tables)):
            if str(name) == shown:
                return name.schema, name.name
        schema, _, table = shown.partition(".")
        return schema, table
