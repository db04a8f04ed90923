"""What a server's own binlog shows of a few rows: its newest part, without a gap, as far back as a bound allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from replfix.core.binlog.row_event import PassedOver, RowChange, Transaction
from replfix.core.conflicts.reconcile import Identity, identity_values
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.schema.table import Table, TableName


@dataclass(frozen=True, slots=True)
class Logged:
    """One transaction as the log has it, without its rows."""

    gtid: str
    log_file: str
    start_pos: int
    committed_at: datetime  # on the server that wrote it first, UTC
    server_id: int
    thread_id: int | None
    rows: int  # that it changed, of all tables
    queries: tuple[str, ...] = ()
    statement: str | None = None  # logged as a statement, in place of rows
    unread: str = ""  # why its rows are not known; empty when they are

    @property
    def place(self) -> LogPosition:
        """The transaction's start in the binlog."""
        return LogPosition(self.log_file, self.start_pos)

    @property
    def when(self) -> str:
        """The time of commit, for people."""
        return f"{self.committed_at:%Y-%m-%d %H:%M:%S} UTC"


@dataclass(frozen=True, slots=True)
class Touch:
    """A logged change of a row in question."""

    by: Logged
    change: RowChange


_HARMLESS = re.compile(
    r"\s*(CREATE|GRANT|REVOKE|FLUSH|ANALYZE|SET|ALTER\s+(USER|EVENT)|DROP\s+(USER|EVENT|TRIGGER))\b", re.I
)
_FAR = re.compile(r"\s*(DROP|TRUNCATE|ALTER|RENAME)\b(?!\s+(DATABASE|SCHEMA))", re.I)


def mentions(statement: str, table: TableName) -> bool:
    """Return whether the table's name is in a statement's text, as a word."""
    return re.search(rf"(?<![\w$]){re.escape(table.name)}(?![\w$])", statement, re.I) is not None


def may_change(statement: str, table: TableName) -> bool:
    """Return whether a statement logged as text can have changed rows of that table; DML always can, by triggers."""
    if _HARMLESS.match(statement):
        return False
    return mentions(statement, table) if _FAR.match(statement) else True


def creates(statement: str, table: TableName) -> bool:
    """Return whether the statement is a CREATE TABLE that names the table."""
    return bool(re.match(r"\s*CREATE\s+TABLE\b", statement, re.I)) and mentions(statement, table)


NO_GTIDS = GtidSet()


@dataclass(frozen=True, slots=True)
class History:
    """``logged`` by GTID, in the log's order; from ``horizon`` on everything in the log was read; None: nothing was.

    ``absent``: transactions that the server counts as executed, that were asked for, and that are not in its log. Of
    MariaDB it also has numbers that nobody ever used.
    """

    logged: Mapping[str, Logged] = field(default_factory=dict)
    touches: Mapping[Identity, tuple[Touch, ...]] | None = None
    horizon: LogPosition | None = None
    whole: bool = False  # everything that the server ever executed was read
    absent: GtidSet = NO_GTIDS

    def last(self, row: Identity) -> Touch | None:
        """Return the newest change of the row. Older than the horizon, it need not be the last one."""
        found = (self.touches or {}).get(row, ())
        last = found[-1] if found else None
        return last if last is not None and self.horizon is not None and self.horizon <= last.by.place else None

    def of(self, gtid: str) -> Logged | None:
        """Return the change in that transaction, None when it is not in the log."""
        return self.logged.get(gtid)

    def doubts(self, table: TableName) -> tuple[Logged, ...]:
        """Return transactions whose rows are unknown and which may have changed rows of the table."""
        return tuple(
            one
            for one in self.logged.values()
            if one.unread and (one.statement is None or may_change(one.statement, table))
        )

    def created(self, table: TableName) -> Logged | None:
        """Return the newest CREATE TABLE of it."""
        found = [one for one in self.logged.values() if one.statement is not None and creates(one.statement, table)]
        return found[-1] if found else None

    def covers_life_of(self, table: TableName) -> Logged | bool | None:
        """Return the CREATE TABLE after which everything is read; True when the whole log is; False when neither."""
        born = self.created(table)
        if born is not None and self.horizon is not None and self.horizon <= born.place:
            return born
        return self.whole


NOT_READ = History()


def compiled(
    read: Iterable[Transaction | PassedOver],
    asked: GtidSet,
    executed: GtidSet,
    wanted: frozenset[Identity],
    tables: Mapping[TableName, Table],
    most_rows: int,
) -> History | None:
    """Return the history in the newest part of a log; None when it has more than ``most_rows`` rows."""
    logged: list[Logged] = []
    touches: dict[Identity, list[Touch]] = {}
    rows = 0
    for one in read:
        if isinstance(one, PassedOver):
            logged.append(_passed_over(one))
            continue
        rows += len(one.changes)
        if rows > most_rows:
            return None
        entry = Logged(
            str(one.gtid), one.log_file, one.start_pos, one.committed_at, one.server_id, one.thread_id,
            len(one.changes), one.queries,
        )  # fmt: skip
        logged.append(entry)
        for change in one.changes:
            for row in touched(change, tables) & wanted:
                touches.setdefault(row, []).append(Touch(entry, change))
    absent = asked - asked.exactly(one.gtid for one in logged)
    return History(
        {one.gtid: one for one in logged},
        {row: tuple(found) for row, found in touches.items()},
        _horizon(logged, asked, executed),
        whole=executed <= asked and not absent,
        absent=absent,
    )


def touched(change: RowChange, tables: Mapping[TableName, Table]) -> frozenset[Identity]:
    """Return the names of the rows that a change finds and leaves."""
    table = tables.get(change.table)
    if table is None:
        return frozenset()
    found = set()
    for image in (change.before, change.left):
        if image is not None and len(image) == len(table.columns):
            values = identity_values(table, image)
            if values is not None:
                found.add((table.name, values))
    return frozenset(found)


def _passed_over(one: PassedOver) -> Logged:
    return Logged(
        one.gtid, one.log_file, one.start_pos, one.committed_at, one.server_id, one.thread_id, 0,
        statement=one.statement, unread=one.why,
    )  # fmt: skip


def _horizon(logged: list[Logged], asked: GtidSet, executed: GtidSet) -> LogPosition | None:
    """Return where everything is known from: the newest of the first transactions read of the origins not read in full."""
    if not logged:
        return None
    found = [logged[0].place]
    for origin, _ in (executed - asked).intervals:
        of_origin = asked.of_origin(origin)
        found += [one.place for one in logged if one.gtid in of_origin][:1]
    return sorted(found)[-1]
