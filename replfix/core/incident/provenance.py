"""Where a row of the replica comes from, as far as the binlogs of both servers show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from replfix.core.conflicts.reconcile import Conflict, Identity, identity_values
from replfix.core.conflicts.row_history import Logged, Touch
from replfix.core.incident.evidence import Evidence
from replfix.core.rows.row_diff import logged_in_part, same
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table


@dataclass(frozen=True, slots=True)
class Provenance:
    """One row in question, on the replica: ``state`` is the row there now, None when it is not there.

    ``last`` is its newest change in the replica's binlog, ``at_source`` the newest in the source's binlog among those
    that the replica counts as applied. None: none was found, which means little unless ``sure``.
    """

    conflict: Conflict
    table: Table
    row: Identity
    state: RowImage | None
    last: Touch | None
    at_source: Touch | None
    doubts: tuple[Logged, ...]  # in the replica's log after ``last``: what may have changed the row unseen
    doubts_at_source: tuple[Logged, ...]  # in the source's log, after ``at_source``
    sure: bool  # after ``last`` (or the table's creation), the replica's log was read in full and every row of it known

    @property
    def as_logged(self) -> bool:
        """Whether the row is as its newest logged change left it."""
        return self.last is not None and stands(self.table, self.last.change.left, self.row, self.state)

    @property
    def as_on_source(self) -> bool:
        """Whether the row is as the newest change on the source left it."""
        return self.at_source is not None and stands(self.table, self.at_source.change.left, self.row, self.state)

    @property
    def behind_the_log(self) -> bool:
        """The row was changed, or came to be, by nothing that the replica logged. Cascades are not logged either."""
        if not self.sure or self.as_logged or cascades(self.table):
            return False
        if self.last is not None:
            left = left_as(self.table, self.last.change.left, self.row)
            return left is None or not logged_in_part(self.table, left)
        return self.state is not None


def stands(table: Table, after: RowImage | None, row: Identity, state: RowImage | None) -> bool:
    """Return whether the row's state is what a change left."""
    left = left_as(table, after, row)
    if left is None or state is None:
        return left is None and state is None
    return same(table, left, state)


def left_as(table: Table, after: RowImage | None, row: Identity) -> RowImage | None:
    """Return what a change left under that name: None when it deleted the row or moved it away."""
    if after is None or identity_values(table, after) != row[1]:
        return None
    return after


def cascades(table: Table) -> bool:
    """Return whether changes of other tables can change rows of this one without a binlog event (InnoDB)."""
    return any({key.on_delete, key.on_update} & {"CASCADE", "SET NULL"} for key in table.foreign_keys)


def rows_in_question(evidence: Evidence) -> Iterator[tuple[Conflict, Table, Identity, RowImage | None]]:
    """Yield the row of each conflict: its table, what names it, and its state on the replica."""
    if evidence.reconciliation is None:
        return
    for conflict in evidence.reconciliation.conflicts:
        table = evidence.tables[conflict.table]
        image = conflict.replica_row if conflict.replica_row is not None else conflict.expected
        values = identity_values(table, image) if image is not None else None
        if values is not None:
            yield conflict, table, (table.name, values), conflict.replica_row


class _This:
    """One evidence and no other: many causes ask the same of it, and there can be 100,000 rows."""

    __slots__ = ("evidence",)

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    def __hash__(self) -> int:
        return id(self.evidence)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _This) and self.evidence is other.evidence


def provenances(evidence: Evidence) -> tuple[Provenance, ...]:
    """Return one for each conflict whose row has a name, in their order; none when no log was read."""
    return _provenances(_This(evidence))


@lru_cache(maxsize=1)
def _provenances(this: _This) -> tuple[Provenance, ...]:
    evidence, around = this.evidence, this.evidence.around
    log = around.replica_log
    if not log.logged and not around.source_log.logged:
        return ()
    names = {table.name for _, table, _, _ in rows_in_question(evidence)}
    suspects = {name: (log.doubts(name), around.source_log.doubts(name)) for name in names}
    lives = {name: log.covers_life_of(name) for name in names}
    found = []
    for conflict, table, row, state in rows_in_question(evidence):
        last, at_source = log.last(row), around.source_log.last(row)
        since: Logged | bool | None = last.by if last is not None else lives[table.name]
        here, there = suspects[table.name]
        doubts = _behind(since if isinstance(since, Logged) else None, here)
        # Rows without a name can be there several times: which of them a logged change met is not known.
        named = table.identity is not None or len((log.touches or {}).get(row, ())) <= 1
        found.append(
            Provenance(
                conflict,
                table,
                row,
                state,
                last,
                at_source,
                doubts,
                _behind(at_source.by if at_source is not None else None, there),
                sure=around.logs_all and since is not False and named and not doubts,
            )
        )
    return tuple(found)


def _behind(since: Logged | None, suspects: tuple[Logged, ...]) -> tuple[Logged, ...]:
    return suspects if since is None else tuple(one for one in suspects if since.place < one.place)
