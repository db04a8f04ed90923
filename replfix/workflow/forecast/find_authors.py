"""Read-only: which transactions of the replica wrote, or deleted, the rows that conflict with its backlog.

One reading of the replica's own binlog for all conflicts. An author is named only where the row is now exactly what that
transaction left, or is gone and it deleted it, with nothing after it that may have changed the row unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from replfix.core.binlog.row_event import PassedOver, RowChange, Transaction
from replfix.core.conflicts.ahead.forecast import Ahead, Author, Forecast, Group
from replfix.core.conflicts.reconcile import Identity, identity_values
from replfix.core.conflicts.row_history import History, Logged, compiled, touched
from replfix.core.incident.provenance import stands
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.words import Advance
from replfix.errors import PrivilegeError, ReplicationError, ServerError
from replfix.ports import Clock, Progress, Replica
from replfix.workflow.investigate.find_local_writes import LOCAL_WRITES_READ
from replfix.workflow.investigate.read_history import MOST_ROWS, fitted

OWN_READ = 20_000
"""Transactions written on the replica itself that are read, the newest ones."""

OTHERS_READ = 1_000
"""Transactions of each origin that are read where those do not explain every row."""

SECONDS = 20.0
"""How long the replica's binlog is read. What was not met by then has no author."""

READING = "Looking for who wrote the rows"

_Read = Iterable[Transaction | PassedOver]
_Timed = Callable[[_Read, int | None], Iterator[Transaction | PassedOver]]


def with_authors(
    found: Forecast, replica: Replica, clock: Clock, progress: Progress, seconds: float = SECONDS
) -> Forecast:
    """Return the forecast with its conflicts grouped by author, the largest group first, the unknown ones last.

    What cannot be read leaves authors unknown, and ends nothing. ConnectError where the replica is gone.
    """
    if not found.conflicts:
        return found
    rows = [_row(ahead, found.tables) for ahead in found.conflicts]
    search = _Search(found.tables, dict(filter(None, rows)))
    until = clock.now() + seconds

    def timed(read: _Read, total: int | None) -> Iterator[Transaction | PassedOver]:
        for number, one in enumerate(read):
            if clock.now() > until:
                raise _TooLong
            progress(Advance(READING, number, total, "transactions"))
            yield one

    with suppress(ReplicationError, PrivilegeError, ServerError, _TooLong):
        search.read(replica, replica.status(), timed)
    authors = [search.authors.get(row[0]) if row is not None else None for row in rows]
    return replace(found, groups=_groups(authors))


class _TooLong(Exception):
    """The time is over. What was read lacks the newest changes, and proves nothing."""


def _row(ahead: Ahead, tables: Mapping[TableName, Table]) -> tuple[Identity, RowImage | None] | None:
    """Return what names the row in question, and the row as the replica has it; None where nothing names it."""
    conflict = ahead.conflict
    table = tables[conflict.table]
    image = conflict.replica_row if conflict.replica_row is not None else conflict.expected
    if image is None or table.identity is None:  # without a key that names rows, several can be the same
        return None
    values = identity_values(table, image)
    return ((table.name, values), conflict.replica_row) if values is not None else None


def _groups(authors: Sequence[Author | None]) -> tuple[Group, ...]:
    places: dict[Author | None, list[int]] = {}
    for place, author in enumerate(authors):
        places.setdefault(author, []).append(place)
    order = sorted(places, key=lambda author: (author is None, -len(places[author])))
    return tuple(Group(author, tuple(places[author])) for author in order)


class _Search:
    """``states``: the rows in question by what names them, as the replica has them; None: gone."""

    def __init__(self, tables: Mapping[TableName, Table], states: Mapping[Identity, RowImage | None]) -> None:
        self._tables = tables
        self._states = states
        self._wanted = frozenset(states)
        self.authors: dict[Identity, Author] = {}

    def read(self, replica: Replica, status: ReplicaStatus, timed: _Timed) -> None:
        """Read what the replica wrote itself, then the newest part of its whole binlog where rows are left."""
        if status.gtid_mode == "OFF" or not status.executed:
            self._take_written_here(timed(replica.written_here(status.server_id, LOCAL_WRITES_READ), None))
            return
        own = status.executed.of_uuid(status.server_uuid)
        # What another channel applied after an own change could have led to the same row.
        if len(status.channels) == 1:
            self._take_history(replica, own.newest(OWN_READ), status.executed, own, timed)
        self._take_history(replica, status.executed.newest(OTHERS_READ), status.executed, own, timed)

    def _take_history(self, replica: Replica, asked: GtidSet, executed: GtidSet, own: GtidSet, timed: _Timed) -> None:
        if not asked or self._wanted <= self.authors.keys():
            return
        read = timed(replica.readable(asked), len(asked) if asked.counts else None)
        history = compiled(fitted(read, self._tables), asked, executed, self._wanted, self._tables, MOST_ROWS)
        if history is None:
            return
        for row in self._wanted - self.authors.keys():
            last = history.last(row)
            if last is not None and not self._doubted(history, row, last.by):
                self._name(row, last.by, last.change, own=last.by.gtid in own)

    @staticmethod
    def _doubted(history: History, row: Identity, by: Logged) -> bool:
        return any(by.place < one.place for one in history.doubts(row[0]))

    def _take_written_here(self, read: _Read) -> None:
        last: dict[Identity, tuple[Transaction, RowChange]] = {}
        for one in fitted(read, self._tables):
            if isinstance(one, Transaction):
                for change in one.changes:
                    last |= dict.fromkeys(touched(change, self._tables) & self._wanted, (one, change))
        for row, (by, change) in last.items():
            self._name(row, by, change, own=True)

    def _name(self, row: Identity, by: Logged | Transaction, change: RowChange, *, own: bool) -> None:
        if stands(self._tables[row[0]], change.left, row, self._states[row]):
            statement = "; ".join(by.queries) or None
            self.authors[row] = Author(by.gtid, by.committed_at, by.thread_id, statement, own)
