"""A transaction as a binlog has it, decoded, with the raw events it was decoded from."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from replfix.core.binlog.statement import Statement
from replfix.core.replication.transaction_id import TransactionId, TransactionRun
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, laid_over
from replfix.core.schema.table import TableName
from replfix.errors import Unreadable


class ChangeKind(enum.StrEnum):
    """What a rows event does to a row."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of a rows event. ``before`` is None for an insert, ``after`` for a delete."""

    table: TableName
    kind: ChangeKind
    before: RowImage | None
    after: RowImage | None
    event_end_pos: int  # end_log_pos of the rows event, in the log that it was read from
    checks_foreign_keys: bool = True  # else none restricts it, and none cascades: foreign_key_checks was OFF

    @property
    def left(self) -> RowImage | None:
        """The row after the change, None when there is none.

        The after image; columns that are not in it did not change and come from the before image (binlog_row_image
        MINIMAL logs of a key what is written).
        """
        if self.after is None or self.before is None or NOT_LOGGED not in self.after:
            return self.after
        return laid_over(self.before, self.after)


@dataclass(frozen=True, slots=True)
class RawEvents:
    """The bytes for BINLOG: whole events with header, and with CRC32 where the Format_description event announces one.

    ``statements`` has, for each statement of the transaction, its Table_map events and its rows events in order: BINLOG
    wants them together, because the last rows event (flag STMT_END) closes the tables.
    """

    format_description: bytes
    statements: tuple[tuple[bytes, ...], ...]


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A transaction whose rows are not in the log, or not in a form that is read."""

    gtid: str
    log_file: str
    start_pos: int
    committed_at: datetime
    server_id: int
    thread_id: int | None
    statement: str | None  # what was logged in place of rows, as far as it is shown; None: rows that are not read
    why: str
    whole: bool = False  # ``statement`` is one, in full


@dataclass(frozen=True, slots=True)
class LoggedType:
    """The type of a column as its events have it: the applier compares it with the replica's."""

    names: tuple[str, ...]  # data types that are logged so
    most_bytes: int | None = None  # of a CHAR or VARCHAR, BINARY or VARBINARY; None for other types


@dataclass(frozen=True, slots=True)
class RunMember:
    """One transaction of a run, and how many of the run's changes are its own."""

    id: TransactionId
    changes: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """One committed transaction. Positions are those of ``log_file`` on the server it was read from."""

    gtid: str | None  # None on servers without GTIDs
    log_file: str
    start_pos: int  # of its GTID event
    end_pos: int  # after its last event
    committed_at: datetime  # when the original server committed it, UTC (from the GTID event, microseconds)
    server_id: int
    thread_id: int | None  # the connection that wrote it (from the BEGIN Query event)
    changes: tuple[RowChange, ...]
    column_names: dict[TableName, tuple[str, ...]]
    raw: RawEvents
    notes: tuple[str, ...] = ()  # what was taken from elsewhere than the events, e.g. names from the schema
    queries: tuple[str, ...] = ()  # from Rows_query events (binlog_rows_query_log_events), when logged
    logged: Transaction | None = None  # as the binlog has it, where its images are in the form of other tables
    prepared: bool = False  # XA: its rows are locked, and seen by nobody else, until a later transaction ends it
    xa_id: str = ""  # of an XA transaction, as XA ROLLBACK takes it
    statements: tuple[Statement, ...] = ()  # logged as statements, in place of rows or beside them
    logged_types: Mapping[TableName, tuple[LoggedType, ...]] = field(default_factory=dict, repr=False)
    members: tuple[RunMember, ...] = ()  # of a run that is planned as one transaction, see ``joined_run.py``; else none

    @property
    def id(self) -> TransactionId:
        """Return what names the transaction, of a run the first."""
        return TransactionId(self.gtid, self.log_file, self.start_pos, self.end_pos)

    @property
    def last(self) -> TransactionId:
        """The transaction itself, of a run the last."""
        return self.members[-1].id if self.members else self.id

    @property
    def gtids(self) -> tuple[str, ...]:
        """The GTIDs of all of a run's transactions; none on servers without GTIDs."""
        ids = tuple(member.id for member in self.members) or (self.id,)
        return tuple(each.gtid for each in ids if each.gtid is not None)

    @property
    def run(self) -> TransactionRun | None:
        """What names the run; None for a single transaction."""
        return TransactionRun(self.last, len(self.members)) if self.members else None


class LoggedAsStatement(Unreadable):
    """A transaction that is logged as statements, in part or as a whole, read to its end.

    ``transaction`` has its ``statements``, and its rows, if it has any.
    """

    def __init__(self, message: str, hint: str, transaction: Transaction) -> None:
        super().__init__(message, hint)
        self.transaction = transaction
