"""What a server itself wrote lately, out of its binary log: how many rows into which table, with which numbers.

Nothing is kept of a row but its number, so a long log costs time and no memory. Bounded: ``TRANSACTIONS``, ``BYTES``, ``SECONDS``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

from replfix.core.advisor.node import IncrementSetting, Inserts, LogSample, Used
from replfix.core.connection.limits import LIMITS
from replfix.core.explain import insert
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.schema.table import Table, TableName
from replfix.errors import ReplicationError, Unreadable
from replfix.mysql.binlog.events.checked_events import Event, EventType, events
from replfix.mysql.binlog.events.layout import layout
from replfix.mysql.binlog.events.mariadb_events import COMPRESSED, plain
from replfix.mysql.binlog.events.openings import OPENINGS, opening
from replfix.mysql.binlog.events.payload import unpacked
from replfix.mysql.binlog.events.rows_events import KINDS, RowDecoder, read_head
from replfix.mysql.binlog.events.table_map import read_table_map
from replfix.mysql.binlog.reader import log_dialect
from replfix.mysql.binlog.stream import Request, raw_events
from replfix.mysql.connection.session import Session

TRANSACTIONS = 20_000
"""How many of the server's own newest transactions are asked for, where GTIDs show which they are."""
BYTES = 64 << 20
SECONDS = 10
_EXAMPLES = 3
_NO_STEP = IncrementSetting(1, 1)  # what a Query event means that names no auto_increment values

_INSERTS = (EventType.WRITE_ROWS, EventType.WRITE_ROWS_V1)
_CHANGES_ROWS = re.compile(rb"\s*(?:/\*.*?\*/\s*)*(?:INSERT|REPLACE|UPDATE|DELETE|LOAD)\b", re.IGNORECASE | re.DOTALL)
_BEFORE_VALUES = re.compile(rb"\b(?:VALUES?|SET|WHERE|SELECT)\b", re.IGNORECASE)
_STATEMENT_SHOWN = 120


@dataclass(slots=True)
class _Counted:
    rows: int = 0
    lowest: int | None = None
    highest: int | None = None
    outside: int = 0
    examples: list[int] = field(default_factory=list)

    def take(self, number: int, step: IncrementSetting | None, stated: bool) -> None:
        self.lowest = number if self.lowest is None else min(self.lowest, number)
        self.highest = number if self.highest is None else max(self.highest, number)
        if stated or (step is not None and number > 0 and not step.gives(number)):
            self.outside += 1
            if len(self.examples) < _EXAMPLES:
                self.examples.append(number)

    def as_inserts(self) -> Inserts:
        return Inserts(self.rows, self.lowest, self.highest, self.outside, tuple(self.examples))


@dataclass(slots=True)
class _Worked:
    transactions: int
    last_at: datetime
    last: str


def read_activity(
    session: Session, server_id: int, own: GtidSet, tables: Mapping[TableName, Table], now: datetime
) -> LogSample:
    """Read what the server itself wrote lately; ``own``: its own GTIDs. ``session`` is used up.

    ``tables`` are the definitions of now. Raises as :func:`~replfix.mysql.binlog.stream.raw_events`; tables whose rows
    are not readable count without numbers.
    """
    dialect = log_dialect(session)
    charset_of = dialect.charset_of(session)
    request, whole = _newest(session, own)
    if request is None:
        return LogSample(None, None, 0, None, whole=True, used_is_logged=not session.is_mariadb)
    fold = _Fold(server_id, tables, charset_of)
    until: datetime | None = now
    stream = _Bounded(raw_events(session, request))
    for event in events(stream):
        fold.take(event)
    fold.close()
    if stream.cut:
        until, whole = fold.at, False
        if fold.first is None:
            raise ReplicationError(
                f"{session.endpoint} found none of its own transactions in its binary log within {SECONDS} s."
            )
    return LogSample(
        since=fold.first,
        until=until if fold.first is not None else None,
        transactions=fold.transactions,
        last_at=fold.last,
        whole=whole,
        used=tuple(
            Used(step, worked.transactions, worked.last_at, worked.last)
            for step, worked in sorted(fold.used.items(), key=lambda u: u[1].last_at, reverse=True)
        ),
        used_is_logged=not session.is_mariadb,
        inserts={name: counted.as_inserts() for name, counted in fold.inserts.items()},
        statements=fold.statements,
        statement=fold.statement,
    )


class _Bounded:
    """Events until they are too many or take too long; heartbeats count, which come while the server searches."""

    def __init__(self, raws: Iterator[bytes]) -> None:
        self._raws = raws
        self._left = BYTES
        self._end = time.monotonic() + SECONDS
        self.cut = False

    def __iter__(self) -> Iterator[bytes]:
        for raw in self._raws:
            yield raw
            self._left -= len(raw)
            if self._left < 0 or time.monotonic() > self._end:
                self.cut = True
                return


def _newest(session: Session, own: GtidSet) -> tuple[Request | None, bool]:
    """Return what to ask for, and whether that is all there is: by GTID, so that only those are sent, else the newest files."""
    dialect = log_dialect(session)
    if own:
        held, request = dialect.those(session, own.newest(TRANSACTIONS))
        return (request if held else None), len(held) == len(own)
    files = session.query("SHOW BINARY LOGS")
    if not files:
        return None, True
    sizes = accumulate(int(row["File_size"]) for row in reversed(files))
    count = max(1, sum(size <= BYTES for size in sizes))
    return dialect.position(session, LogPosition(str(files[-count:][0]["Log_name"]), 0)), count == len(files)


class _Fold:
    """Event by event; what is kept are sums."""

    def __init__(self, server_id: int, tables: Mapping[TableName, Table], charset_of: Callable[[int], str]) -> None:
        self.server_id = server_id
        self.tables = tables
        self.charset_of = charset_of
        self.first: datetime | None = None  # of any transaction that was read
        self.at: datetime | None = None
        self.last: datetime | None = None  # of one of its own that changed rows
        self.transactions = 0
        self.used: dict[IncrementSetting, _Worked] = {}
        self.inserts: dict[TableName, _Counted] = {}
        self.statements = 0
        self.statement = ""
        self._own = False
        self._changed = False
        self._name = ""
        self._step: IncrementSetting | None = None
        self._text: str | None = None  # of the statement whose rows come, where that is logged
        self._stated: bool | None = None  # whether it gives the numbers itself; None: not looked at yet
        self._maps: dict[int, Event] = {}
        self._decoders: dict[bytes, tuple[TableName, RowDecoder | None, int | None]] = {}

    def take(self, event: Event) -> None:
        if event.type in OPENINGS:
            self.close()
            first = opening(event)
            self._own = event.server_id == self.server_id
            self._name = first.gtid or f"{event.log_file}:{event.start_pos}"
            self.at = first.committed_at
            self.first = self.first or self.at
            self._maps.clear()
        elif not self._own:
            return
        elif event.type == EventType.TRANSACTION_PAYLOAD:
            for packed in unpacked(event, self._name, LIMITS):
                self._inside(packed)
        elif event.type in COMPRESSED:
            self._inside(plain(event, self._name, LIMITS))
        else:
            self._inside(event)

    def close(self) -> None:
        """Count the transaction: it is over."""
        if self._own and self._changed and self.at is not None:
            self.transactions += 1
            self.last = self.at
            if self._step is not None:
                worked = self.used.setdefault(self._step, _Worked(0, self.at, self._name))
                worked.transactions += 1
                worked.last_at, worked.last = self.at, self._name
        self._own = self._changed = False
        self._step = None

    def _inside(self, event: Event) -> None:
        if event.type == EventType.QUERY:
            self._query(event)
        elif event.type == EventType.EXECUTE_LOAD_QUERY:
            self._changed = True
            self.statements += 1
        elif event.type == EventType.ROWS_QUERY:
            self._text, self._stated = event.body[1:].decode("utf-8", "replace"), None  # after a byte of its length
        elif event.type == EventType.MARIADB_ANNOTATE_ROWS:
            self._text, self._stated = event.body.decode("utf-8", "replace"), None
        elif event.type == EventType.TABLE_MAP:
            self._maps[event.buffer().uint(6)] = event
        elif event.type in KINDS:
            self._rows(event)

    def _query(self, event: Event) -> None:
        fields = event.buffer()
        fields.take(8)  # thread, seconds
        schema_length = fields.uint(1)
        fields.take(2)
        variables = fields.take(fields.uint(2))
        fields.take(schema_length + 1)
        statement = fields.rest()
        if statement in (b"COMMIT", b"ROLLBACK"):
            return
        self._step = worked_with(variables)
        if _CHANGES_ROWS.match(statement):
            self._changed = True
            self.statements += 1
            self.statement = _BEFORE_VALUES.split(statement[:_STATEMENT_SHOWN], 1)[0].decode("utf-8", "replace").strip()

    def _rows(self, event: Event) -> None:
        head = read_head(event)
        table_map = self._maps.get(head.table_id)
        if table_map is None:
            return
        name, decoder, ordinal = self._decoder(table_map)
        if name not in self.tables:
            return  # of the server itself, or gone
        self._changed = True
        if event.type not in _INSERTS or decoder is None:
            return
        images = decoder.images(event, head)
        counted = self.inserts.setdefault(name, _Counted())
        counted.rows += len(images)
        if ordinal is None:
            return
        if self._stated is None:
            self._stated = self._text is not None and states(self._text, self.tables[name], ordinal)
        for image in images:
            number = image[ordinal]
            if isinstance(number, int):
                counted.take(number, self._step, self._stated)
        if head.ends_statement:
            self._text = self._stated = None

    def _decoder(self, event: Event) -> tuple[TableName, RowDecoder | None, int | None]:
        key = event.body[6:]
        if key not in self._decoders:
            mapped = read_table_map(event)
            table = self.tables.get(mapped.table)
            column = None if table is None else next((c for c in table.columns if c.auto_increment), None)
            try:
                if table is None:
                    decoder = None
                else:
                    columns = table.columns
                    found = layout(mapped, lambda _: columns, self.charset_of)
                    wanted = frozenset(() if column is None else (column.ordinal,))
                    decoder = RowDecoder(found, wanted)
            except Unreadable:  # altered since
                decoder = None
            self._decoders[key] = (mapped.table, decoder, None if column is None else column.ordinal)
        return self._decoders[key]


def states(text: str, table: Table, ordinal: int) -> bool:
    """Return whether an INSERT gives that column a number itself; for NULL, 0 and DEFAULT the server gives one.

    The first row counts for all. False too for what is not read: INSERT … SELECT, expressions.
    """
    read = insert.read(text)
    if read is None or not read.rows or read.table.lower() != table.name.name.lower():
        return False
    columns, row = read.columns or tuple(c.name for c in table.columns if not c.invisible), read.rows[0]
    if len(columns) != len(row):
        return False  # cut off, or of another definition
    value = dict(zip((c.lower() for c in columns), row, strict=True)).get(table.columns[ordinal].name.lower())
    told = None if value is None else value.known_text
    return told is not None and told.strip().isdigit() and int(told) > 0


_FIXED_SIZES = {0: 4, 1: 8, 4: 6, 7: 2, 8: 2, 9: 8, 10: 4, 13: 3}
_AUTO_INCREMENT, _CATALOG_OLD = 3, 2
_WITH_LENGTH = (5, 6)  # time zone, catalog


def worked_with(variables: bytes) -> IncrementSetting:
    """Return the auto_increment values in the status variables of a Query event.

    Q_AUTO_INCREMENT (3) is there unless both are 1 (libs/mysql/binlog/event/statement_events.h; seen on 9.7.4 in the
    BEGIN of every transaction).
    """
    at = 0
    while at < len(variables):
        code = variables[at]
        at += 1
        if code == _AUTO_INCREMENT:
            return IncrementSetting(
                int.from_bytes(variables[at : at + 2], "little"), int.from_bytes(variables[at + 2 : at + 4], "little")
            )
        if code in _WITH_LENGTH and at < len(variables):
            at += 1 + variables[at]
        elif code == _CATALOG_OLD and at < len(variables):
            at += 2 + variables[at]
        elif code in _FIXED_SIZES:
            at += _FIXED_SIZES[code]
        else:
            break  # the servers write it before the others
    return _NO_STEP
