"""Transactions that were read from a server's binlog before: a log only grows, and a reader takes a connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.schema.table import Column, TableName
from replfix.errors import Unreadable
from replfix.mysql.binlog import BinlogReader
from replfix.mysql.binlog.assemble import ColumnsOf
from replfix.one_look import look

READINGS_KEPT = 4
ROWS_KEPT = 2000
"""Of one reading: it is for the diagnosis that is made twice, before a plan is shown and before it is applied."""


class RecordedColumns:
    """Definitions as a server gave them last. Implements ``ColumnsOf``."""

    def __init__(self, columns_of: ColumnsOf) -> None:
        self._columns_of = columns_of
        self.given: dict[TableName, tuple[Column, ...]] = {}

    def __call__(self, name: TableName) -> tuple[Column, ...]:
        """Return the table's columns as they are now; Unreadable where there is no such table."""
        columns = self.given[name] = self._columns_of(name)
        return columns

    def are_still(self, given: Mapping[TableName, tuple[Column, ...]]) -> bool:
        """Return whether the server still defines those tables so."""
        try:
            return all(self(name) == columns for name, columns in given.items())
        except Unreadable:
            return False


@dataclass(frozen=True, slots=True)
class _Reading:
    gtids: GtidSet
    found: tuple[Transaction | PassedOver, ...]
    given: tuple[Mapping[TableName, tuple[Column, ...]], ...]


@dataclass(slots=True)
class _Kept:
    """What one reading has given so far; of a large one, only how much that is."""

    found: list[Transaction | PassedOver] = field(default_factory=list)
    number: int = 0
    rows: int = 0

    def take(self, one: Transaction | PassedOver) -> None:
        self.number += 1
        self.rows += 1 + (len(one.changes) if isinstance(one, Transaction) else 0)
        if self.rows <= ROWS_KEPT:
            self.found.append(one)
        else:
            self.found.clear()


class ReadBefore:
    """Asks a reader in a look only for what it was not asked before.

    What was read is read again where the server has not executed all of it (any more), or has altered a table since.
    """

    def __init__(
        self, reader: BinlogReader, executed: Callable[[], GtidSet], columns: Sequence[RecordedColumns]
    ) -> None:
        self._reader = reader
        self._executed = executed
        self._columns = columns
        self._readings: deque[_Reading] = deque(maxlen=READINGS_KEPT)

    def transaction(self, gtid: str, near: LogPosition | None = None) -> Transaction:
        """Do as ``BinlogReader.transaction``."""
        if look() is None:
            return self._reader.transaction(gtid, near)
        executed = self._executed()
        try:
            wanted = executed.single(gtid)
        except ValueError:
            return self._reader.transaction(gtid, near)
        for one in self._known(wanted, executed) or ():
            if isinstance(one, Transaction):
                return one
        read = _Kept()
        read.take(found := self._reader.transaction(gtid, near))
        self._keep(wanted, read)
        return found

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        """Do as ``BinlogReader.transactions``."""
        if not gtids:
            return
        executed = self._executed() if look() is not None else GtidSet()
        known = self._known(gtids, executed)
        if known is not None and len(known) <= limit and all(isinstance(one, Transaction) for one in known):
            yield from (one for one in known if isinstance(one, Transaction))
            return
        read = _Kept()
        for one in self._reader.transactions(gtids, limit):
            read.take(one)
            yield one
        if read.number < limit:
            self._keep(gtids & executed, read)

    def readable(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        """Do as ``BinlogReader.readable``."""
        if not gtids:
            return
        executed = self._executed() if look() is not None else GtidSet()
        known = self._known(gtids, executed)
        if known is not None:
            yield from known
            return
        read = _Kept()
        for one in self._reader.readable(gtids):
            read.take(one)
            yield one
        self._keep(gtids & executed, read)

    def _known(self, gtids: GtidSet, executed: GtidSet) -> list[Transaction | PassedOver] | None:
        if not gtids <= executed:
            return None
        for reading in self._readings:
            still = (recorded.are_still(given) for recorded, given in zip(self._columns, reading.given, strict=True))
            if gtids <= reading.gtids and all(still):
                return [one for one in reading.found if one.gtid is not None and one.gtid in gtids]
        return None

    def _keep(self, gtids: GtidSet, read: _Kept) -> None:
        if not gtids or read.rows > ROWS_KEPT:
            return
        names = {name for one in read.found if isinstance(one, Transaction) for name in one.column_names}
        given = tuple({n: columns.given[n] for n in names if n in columns.given} for columns in self._columns)
        self._readings.append(_Reading(gtids, tuple(read.found), given))
