"""Transactions assembled from checked events. An unknown event inside one is an error, never passed over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from replfix.core.binlog.row_event import LoggedAsStatement, LoggedType, PassedOver, RawEvents, RowChange, Transaction
from replfix.core.binlog.secrets import masked
from replfix.core.binlog.statement import Statement
from replfix.core.connection.limits import LIMITS, Limits
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Column, TableName
from replfix.core.words import counted, help_on
from replfix.errors import Unreadable
from replfix.mysql.binlog.events.checked_events import POSITIONS, Event, EventType
from replfix.mysql.binlog.events.filtered_events import filtered
from replfix.mysql.binlog.events.gtids import Opening
from replfix.mysql.binlog.events.layout import Layout, layout
from replfix.mysql.binlog.events.mariadb_events import COMPRESSED, plain
from replfix.mysql.binlog.events.openings import OPENINGS, opening
from replfix.mysql.binlog.events.payload import unpacked
from replfix.mysql.binlog.events.preludes import PRELUDES, setting
from replfix.mysql.binlog.events.rows_events import KINDS, RowDecoder, read_head
from replfix.mysql.binlog.events.table_map import TableMap, read_table_map
from replfix.mysql.connection.terms import HIDDEN

_STATEMENT_SHOWN = 200
_STATEMENT_KEPT = 4000  # for a transaction whose rows are unknown
_STARTS_TRANSACTION = b"START TRANSACTION"  # ends a CREATE TABLE … SELECT (MySQL 8.0.21): its rows follow
_XA_START, _XA_END = b"XA START ", b"XA END "
_XA_LATER = re.compile(rb"XA (?:COMMIT|ROLLBACK) ")
_TEMPORARY = re.compile(r"\s*(CREATE|DROP)\s+TEMPORARY\b", re.IGNORECASE)
# A savepoint alone changes nothing. A ROLLBACK TO is logged only when it could not undo everything: that is refused.
_SAVEPOINT = re.compile(rb"SAVEPOINT\s+`(?:[^`]|``)*`\s*\Z", re.IGNORECASE)


ColumnsOf = Callable[[TableName], tuple[Column, ...]]
"""A table's columns as a server defines them now; Unreadable where it has no such table."""

FillIn = Callable[[TableName, Sequence[Column], Sequence[RowImage]], Sequence[RowImage]]
"""Works out generated columns that images lack, or have as they were before the row got its number."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What a server says of its tables."""

    columns_of: ColumnsOf
    fill_in: FillIn


@dataclass(slots=True)
class Schema:
    """Where to look up what events do not say. Table maps are the same again and again: each is resolved once."""

    columns_of: ColumnsOf
    charset_of: Callable[[int], str]
    limits: Limits = LIMITS
    fill_in: FillIn | None = None
    where_applied: Tables | None = None
    """Of the replica that applies the log: where the source has altered its table since, its tables are what it was."""
    _decoders: dict[bytes, RowDecoder] = field(default_factory=dict)
    _defined: dict[TableName, tuple[Column, ...]] = field(default_factory=dict)

    def decoder(self, event: Event) -> RowDecoder:
        """Return the decoder for the rows of a Table_map event."""
        key = event.body[6:]  # without the table's number, which changes with every opening of the table
        if key not in self._decoders:
            self._decoders[key] = RowDecoder(self._layout(read_table_map(event)))
        return self._decoders[key]

    def _layout(self, table_map: TableMap) -> Layout:
        try:
            return layout(table_map, self.defined, self.charset_of)
        except Unreadable:
            if self.where_applied is None:
                raise
            with suppress(Unreadable):
                found = layout(table_map, self.where_applied.columns_of, self.charset_of)
                return replace(found, altered_since=bool(found.from_schema))
            raise

    def defined(self, table: TableName) -> tuple[Column, ...]:
        """Return the table's columns as the server defines them now."""
        if table not in self._defined:
            self._defined[table] = self.columns_of(table)
        return self._defined[table]

    def filled_in(self, table: TableName, names: tuple[str, ...], images: Sequence[RowImage]) -> Sequence[RowImage]:
        """Add the generated columns that the events lack.

        Only where the table is still the one that they were logged for on this server, or else on the replica that
        applies them.
        """
        servers = [Tables(self.defined, self.fill_in)] if self.fill_in is not None else []
        for server in (*servers, *([self.where_applied] if self.where_applied is not None else [])):
            try:
                columns = [column for column in server.columns_of(table) if not column.name.startswith(HIDDEN)]
            except Unreadable:  # there is no such table any more
                continue
            if [column.name.lower() for column in columns] == [name.lower() for name in names]:
                return server.fill_in(table, columns, images)
        return images

    def counted(self, table: TableName) -> bool:
        """Return whether a column is generated from the number that a row gets: MariaDB logs that as it was before."""
        try:
            return self.fill_in is not None and any(column.counted for column in self.defined(table))
        except Unreadable:
            return False


Wanted = Callable[[Opening], bool]
"""Whether a transaction is looked into, by what its first event says."""


def among(gtids: GtidSet) -> Wanted:
    """Want the transactions of that set."""
    return lambda opening: opening.gtid is not None and opening.gtid in gtids


def transactions(
    events: Iterable[Event], wanted: Wanted, schema: Schema, *, again: bool = False
) -> Iterator[Transaction]:
    """Yield the wanted transactions, in the order of the log. Others are passed over without a look inside.

    ``again``: one that ends in the middle is passed over too, because it comes again where it is whole.
    """
    for assembly, stream in _openings(events, wanted, schema):
        # MariaDB's receiver unpacks compressed events: in its relay log they have other lengths than in the source's (11.8).
        assembly.repacked = again and "MariaDB" in assembly.first.format.server_version
        try:
            yield assembly.read(stream)
        except _CutShort:
            if not again:
                raise


class _CutShort(Unreadable):
    """The transaction ends in the middle."""


def readable(events: Iterable[Event], wanted: Wanted, schema: Schema) -> Iterator[Transaction | PassedOver]:
    """Do as ``transactions``, with a note in place of each that cannot be read."""
    for assembly, stream in _openings(events, wanted, schema):
        try:
            yield assembly.read(stream)
        except Unreadable as error:
            yield assembly.passed_over(error.message)


def waiting(
    events: Iterable[Event], wanted: Wanted, schema: Schema, *, again: bool = False
) -> Iterator[Transaction | PassedOver]:
    """Do as ``readable``; a transaction that is logged as statements comes with these, and with what it has of rows.

    ``again`` as in ``transactions``.
    """
    for assembly, stream in _openings(events, wanted, schema):
        assembly.repacked = again and "MariaDB" in assembly.first.format.server_version
        try:
            yield assembly.read(stream)
        except LoggedAsStatement as logged:
            yield logged.transaction
        except _CutShort as error:
            if not again:
                yield assembly.passed_over(error.message)
        except Unreadable as error:
            yield assembly.passed_over(error.message)


def _openings(events: Iterable[Event], wanted: Wanted, schema: Schema) -> Iterator[tuple[_Assembly, Iterator[Event]]]:
    stream = iter(events)
    begun = False
    event = next(stream, None)
    while event is not None:
        behind: Event | None = None
        if event.type in OPENINGS:
            begun = True
            first = opening(event)
            if wanted(first):
                assembly = _Assembly(first, event, schema)
                yield assembly, stream
                behind = assembly.behind
        elif event.type == EventType.INCIDENT:
            raise _refused(event, "changes were lost on the source")
        elif not begun and event.type in _INSIDE:
            raise Unreadable(f"{event.log_file}:{event.start_pos} is not the start of a transaction.")
        event = behind or next(stream, None)


class _Assembly:
    """One transaction, event by event."""

    def __init__(self, opening: Opening, first: Event, schema: Schema) -> None:
        self.opening = opening
        self.name = opening.gtid or f"{first.log_file}:{first.start_pos}"
        self.first = first
        self.schema = schema
        self.last = first
        self.behind: Event | None = None  # of another transaction, and read by this one
        self.size = 0
        self.values = 0
        self.repacked = False  # events have not the lengths that their positions are made of
        self.begun = opening.begins
        self.ended = False
        self.xa_id = opening.xa_id
        self.prepared = False
        self.ends_xa = False  # one that was prepared by an earlier transaction, which has the rows
        self.prelude: Event | None = None  # announced that a statement follows
        self.thread_id = opening.thread_id
        self.settings: list[str] = []  # of the statement that follows
        self.logged_statements: list[Statement] = []
        self.changes: list[RowChange] = []
        self.column_names: dict[TableName, tuple[str, ...]] = {}
        self.logged_types: dict[TableName, tuple[LoggedType, ...]] = {}
        self.notes: list[str] = []
        self.from_schema: dict[tuple[str, ...], dict[TableName, None]] = {}
        self.in_part: set[TableName] = set()  # of which an image does not have every column
        self.altered_since: dict[TableName, None] = {}
        self.sequences: dict[TableName, None] = {}
        self.queries: list[str] = []
        self.statements: list[tuple[bytes, ...]] = []
        self.open_maps: dict[int, Event] = {}
        self.open_events: list[bytes] = []

    def read(self, stream: Iterator[Event]) -> Transaction:
        for event in stream:
            if event.log_file != self.first.log_file or event.type in _OUTSIDE:
                self.behind = event
                break
            if (event.start_pos - self.last.end_pos) % POSITIONS and not self.repacked:
                raise self.refused(event, f"it does not follow on the event that ends at {self.last.end_pos}")
            self.last = event
            if event.type == EventType.TRANSACTION_PAYLOAD:
                for packed in unpacked(event, self.name, self.schema.limits):
                    self.take(packed)
            elif event.type in COMPRESSED:
                self.take(plain(event, self.name, self.schema.limits))
            else:
                self.take(event)
            if self.ended:
                return self.finished()
        raise _CutShort(f"Transaction {self.name} ends in the middle, after {self.last.log_file}:{self.last.end_pos}.")

    def take(self, event: Event) -> None:
        if self.ended:
            raise self.refused(event, "it comes after the end of its transaction")
        if event.type in PRELUDES:
            self.count(event)
            self.prelude = event
            self.settings.append(setting(event))
            return
        if self.prelude and event.type != EventType.QUERY:
            raise self.refused(self.prelude, _STATEMENT_BASED)
        step = _STEPS.get(event.type)
        if step is not None:
            step(self, event)
        elif not event.ignorable:
            raise self.refused(event, _WHY.get(event.type, "replfix does not know this event"))

    # --- one step for each event that is read ---

    def query(self, event: Event) -> None:
        fields = event.buffer()
        thread_id = fields.uint(4)
        fields.take(4)  # seconds that it took
        schema_length = fields.uint(1)
        fields.take(2)  # error code
        variables = fields.uint(2)
        fields.take(variables)
        schema = fields.take(schema_length).decode("utf-8", "replace")
        fields.take(1)
        statement = fields.rest()
        if not self.begun:
            self.thread_id = thread_id
            self.begun = True
            if statement.startswith(_XA_START):
                self.xa_id = statement.removeprefix(_XA_START).decode("ascii", "replace")
            elif _XA_LATER.match(statement):
                self.keep(event, schema, statement)
                self.ends_xa = self.ended = True
            elif statement != b"BEGIN":
                self.keep(event, schema, statement)
                self.ended = not statement.rstrip().endswith(_STARTS_TRANSACTION)
        elif self.prelude:
            self.keep(event, schema, statement)
        elif statement == b"COMMIT":  # of an engine without transactions, in place of a Xid event
            self.ended = True
        elif not _SAVEPOINT.match(statement) and not (self.xa_id is not None and statement.startswith(_XA_END)):
            self.keep(event, schema, statement)

    def keep(self, event: Event, schema: str, statement: bytes) -> None:
        self.count(event)
        text = masked(statement.decode("utf-8", "replace"))
        behind, settings = len(self.changes), tuple(self.settings)
        self.logged_statements.append(Statement(schema, text, end_pos=event.end_pos, behind=behind, settings=settings))
        self.prelude = None
        self.settings.clear()

    def rows_query(self, event: Event) -> None:
        self.count(event)
        fields = event.buffer()
        fields.take(1)  # the length, cut to one byte
        self.queries.append(fields.rest().decode("utf-8", "replace"))

    def annotate_rows(self, event: Event) -> None:
        self.count(event)
        self.queries.append(event.body.decode("utf-8", "replace"))

    def table_map(self, event: Event) -> None:
        self.need_begin(event)
        # Not resolved before a rows event needs it: a statement maps every table that it might have changed.
        self.open_maps[event.buffer().uint(6)] = event
        self.hold(event)

    def rows(self, event: Event) -> None:
        self.need_begin(event)
        head = read_head(event)
        table_map = self.open_maps.get(head.table_id)
        if table_map is None:
            raise self.refused(event, f"there is no Table_map event for its table number {head.table_id}")
        rows = len(self.changes)
        decoder = self.schema.decoder(table_map)
        table, names = decoder.layout.table, decoder.layout.names
        if self.column_names.setdefault(table, names) != names:
            raise self.refused(event, f"the columns of {table} change within the transaction")
        self.logged_types[table] = decoder.layout.types
        if decoder.layout.altered_since:
            self.altered_since[table] = None
        elif decoder.layout.from_schema:
            self.from_schema.setdefault(decoder.layout.from_schema, {})[table] = None
        self.hold(event)
        if names == _SEQUENCE:
            self.sequences[table] = None
            if head.ends_statement:
                self.end_statement()
            return
        every = (1 << len(names)) - 1
        if any(bits & every != every for bits in head.present):
            self.in_part.add(table)
        # One more than there may be: the check after it reports that, and what is not decoded takes no memory.
        self.changes += decoder.changes(
            event, head, self.schema.limits.rows_left(rows, self.values, len(head.present) * head.columns) + 1
        )
        self.values += (len(self.changes) - rows) * len(head.present) * head.columns
        self.schema.limits.check(self.name, rows=len(self.changes), values=self.values)
        if head.ends_statement:
            self.end_statement()

    def end_statement(self) -> None:
        self.statements.append(tuple(self.open_events))
        self.open_events.clear()
        self.open_maps.clear()

    def xid(self, event: Event) -> None:
        self.need_begin(event)
        self.ended = True

    def xa_prepare(self, event: Event) -> None:
        if self.xa_id is None:
            raise self.refused(event, "the transaction has no XA START")
        self.prepared = not event.buffer().uint(1)  # else it was committed in one phase
        self.ended = True

    def need_begin(self, event: Event) -> None:
        if not self.begun:
            raise self.refused(event, "the transaction has no BEGIN")

    def hold(self, event: Event) -> None:
        self.count(event)
        self.open_events.append(event.raw)

    def count(self, event: Event) -> None:
        """Count the event's bytes against the limits, whatever is kept of it."""
        self.size += len(event.raw)
        self.schema.limits.check(self.name, size=self.size)

    # --- the end ---

    def finished(self) -> Transaction:
        if self.open_events:
            raise Unreadable(f"Transaction {self.name} ends in the middle of a statement.")
        for what, tables in self.from_schema.items():
            least = "NO_LOG" if "MariaDB" in self.first.format.server_version else "MINIMAL"
            setting = f" (binlog_row_metadata={least})" if "names" in what else ""
            self.notes.append(
                f"Column {', '.join(what)} of {', '.join(map(str, tables))} come from today's table definition, because this "
                f"binlog does not store them{setting}. If the table was altered since, they may be wrong."
            )
        if self.altered_since:
            self.notes.append(
                f"Column names of {', '.join(map(str, self.altered_since))} come from the replica's table: the source has altered its "
                "own since, and they are not in the binary log."
            )
        if not self.opening.exact:
            self.notes.append("The commit time is that of the event, in whole seconds: the source logged no other.")
        if self.prepared:
            self.notes.append(
                f"The transaction only prepares the XA transaction {self.xa_id}: its rows are locked, and invisible to others, until a later transaction commits it or rolls it back."
            )
        raw = RawEvents(self.first.format.raw, tuple(self.statements))
        if self.sequences:
            # No conflict is there, and a rehearsal would move what no ROLLBACK takes back. The applier applies them.
            raw = filtered(raw, lambda name: None if name in self.sequences else name)
            for table in self.sequences:
                del self.column_names[table]
        found = Transaction(
            gtid=self.opening.gtid,
            log_file=self.first.log_file,
            start_pos=self.first.start_pos,
            end_pos=self.last.end_pos,
            committed_at=self.opening.committed_at,
            server_id=self.first.server_id,
            thread_id=self.thread_id,
            changes=tuple(self.filled_in() if "MariaDB" in self.first.format.server_version else self.changes),
            column_names=self.column_names,
            raw=raw,
            notes=tuple(self.notes),
            queries=tuple(self.queries),
            prepared=self.prepared,
            xa_id=self.xa_id or "",
            logged_types=self.logged_types,
        )
        if self.logged_statements:
            raise self.as_statements(found)
        return found

    def as_statements(self, found: Transaction) -> LoggedAsStatement:
        whole = len(self.logged_statements) == 1 and not found.changes
        statements = tuple(replace(each, transaction=found.id, whole=whole) for each in self.logged_statements)
        if self.ends_xa:
            return LoggedAsStatement(
                f"Transaction {self.name} has no rows: it ends an XA transaction that was prepared earlier ({found.log_file}:{found.end_pos}): {statements[0].text[:_STATEMENT_SHOWN]}",
                "Its rows are in the transaction that prepared it. XA RECOVER on the replica lists what is prepared there.",
                replace(found, statements=statements),
            )
        beside = f", beside {counted(len(found.changes), 'row')}" if found.changes else ", not as rows"
        others = counted(len(statements) - 1, "more statement")
        return LoggedAsStatement(
            f"Transaction {self.name} was logged as a statement{beside}, so what it changed is not in the binary log "
            f"({found.log_file}:{statements[0].end_pos}): {statements[0].text[:_STATEMENT_SHOWN]}"
            + (f" (and {others})" if len(statements) > 1 else ""),
            "Look at the statement and at what it did on the source; binlog_format=ROW logs rows.",
            replace(found, statements=statements),
        )

    def filled_in(self) -> list[RowChange]:
        changes = list(self.changes)
        for table in dict.fromkeys(change.table for change in self.changes):
            if table not in self.in_part and not self.schema.counted(table):
                continue
            numbers = [n for n, change in enumerate(changes) if change.table == table]
            images = [i for n in numbers for i in (changes[n].before, changes[n].after) if i is not None]
            whole = iter(self.schema.filled_in(table, self.column_names[table], images))
            for n in numbers:
                before, after = (
                    None if image is None else next(whole) for image in (changes[n].before, changes[n].after)
                )
                changes[n] = replace(changes[n], before=before, after=after)
        return changes

    def passed_over(self, why: str) -> PassedOver:
        first = self.first
        # What only makes or drops a temporary table says nothing of the others; what ends an XA transaction, nothing of its rows.
        texts = (
            []
            if self.ends_xa
            else sorted((each.text for each in self.logged_statements), key=lambda text: bool(_TEMPORARY.match(text)))
        )
        return PassedOver(
            self.name, first.log_file, first.start_pos, self.opening.committed_at, first.server_id,
            self.thread_id, "; ".join(texts)[:_STATEMENT_KEPT] or None, why, len(texts) == 1 and len(texts[0]) <= _STATEMENT_KEPT,
        )  # fmt: skip

    def refused(self, event: Event, why: str) -> Unreadable:
        return _refused(event, f"{why} (transaction {self.name})")


def _refused(event: Event, why: str) -> Unreadable:
    return Unreadable(
        f"The {event.name} event that ends at {event.log_file}:{event.end_pos} cannot be read: {why}.",
        f"The events that replfix reads are listed in {help_on('values')}.",
    )


_STEPS: dict[int, Callable[[_Assembly, Event], None]] = {
    EventType.QUERY: _Assembly.query,
    EventType.ROWS_QUERY: _Assembly.rows_query,
    EventType.MARIADB_ANNOTATE_ROWS: _Assembly.annotate_rows,
    EventType.TABLE_MAP: _Assembly.table_map,
    EventType.XID: _Assembly.xid,
    EventType.XA_PREPARE: _Assembly.xa_prepare,
    **dict.fromkeys(KINDS, _Assembly.rows),
}

# Read from the position asked for, a log begins with the first event of a transaction, or between two.
_INSIDE = {*_STEPS, *COMPRESSED, EventType.TRANSACTION_PAYLOAD}

# Events that only occur between transactions: inside one, they mean that its end was never written.
_OUTSIDE = {
    EventType.ROTATE,
    EventType.STOP,
    EventType.PREVIOUS_GTIDS,
    *OPENINGS,
}

# The columns of the one row of a sequence (MariaDB).
_SEQUENCE = (
    *(
        "next_not_cached_value",
        "minimum_value",
        "maximum_value",
        "start_value",
        "increment",
        "cache_size",
        "cycle_option",
    ),
    "cycle_count",
)

_STATEMENT_BASED = "it belongs to a statement that was not logged as rows"
_WHY: dict[int, str] = {
    EventType.BEGIN_LOAD_QUERY: _STATEMENT_BASED,
    EventType.EXECUTE_LOAD_QUERY: _STATEMENT_BASED,
    EventType.INCIDENT: "changes were lost on the source",
}
