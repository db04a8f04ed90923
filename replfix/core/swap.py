"""Rows of the replica that the source has in place of what the failing transaction makes of them: to apply it would swap them.

Two servers that follow each other write the same key, and each stops on the other's row. Once one side has taken the other's
row, that other side's channel is stopped on a row which its own server does not have any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from replfix.core.history import touched
from replfix.core.lookup import Answers, Lookup, by_identity
from replfix.core.reconcile import Conflict, ConflictKind, Identity, final_rows, identity_values
from replfix.core.row_diff import same
from replfix.core.row_event import RowChange
from replfix.core.table import Table, TableName
from replfix.core.values import RowImage

Tables = Mapping[TableName, Table]


@dataclass(frozen=True, slots=True)
class Swap:
    """``at``: the server that has the replica's row, or none where the replica has none."""

    conflict: Conflict
    at: str

    def in_words(self, tables: Tables) -> str:
        conflict = self.conflict
        if conflict.replica_row is None:
            return f"{self.at} has no such row of {conflict.table} any more, as this server"
        return f"{self.at} has this server's row {by_identity(tables[conflict.table], conflict.replica_row)} of {conflict.table}"


def questions(conflicts: Iterable[Conflict], tables: Tables) -> tuple[Lookup, ...]:
    """What to ask another server: its rows under the names of the replica's row and of the transaction's."""
    return tuple(dict.fromkeys(lookup for conflict in conflicts for lookup in _lookups(conflict, tables)))


def swapped(
    conflicts: Iterable[Conflict], changes: tuple[RowChange, ...], tables: Tables, answers: Answers
) -> Iterator[Conflict]:
    """Those of whose row that server stands as the replica does, and not as the transaction leaves it."""
    final = {row.lookup: row.image for row in final_rows(changes, tables)}
    for conflict in conflicts:
        table = tables.get(conflict.table)
        if table is None or table.identity is None or conflict.kind is ConflictKind.EXTRA or conflict.foreign_key:
            continue
        lookups = tuple(_lookups(conflict, tables))
        held = {lookup: next(iter(answers[lookup]), None) for lookup in lookups if lookup in answers}
        ours = by_identity(table, conflict.replica_row) if conflict.replica_row is not None else None
        stands = all(
            _equal(table, row, conflict.replica_row if lookup == ours else None) for lookup, row in held.items()
        )
        leaves = all(_equal(table, row, final[lookup]) for lookup, row in held.items() if lookup in final)
        if held and stands and not leaves:
            yield conflict


def _equal(table: Table, one: RowImage | None, other: RowImage | None) -> bool:
    return one is other if one is None or other is None else same(table, one, other)


def _lookups(conflict: Conflict, tables: Tables) -> Iterator[Lookup]:
    table = tables.get(conflict.table)
    if table is None:
        return
    for image in (conflict.replica_row, conflict.incoming, conflict.expected):
        if image is not None and (lookup := by_identity(table, image)) is not None:
            yield lookup


def untouched(conflicts: Iterable[Conflict], tables: Tables, later: Iterable[RowChange]) -> tuple[Conflict, ...]:
    """Those whose rows none of these changes meets."""
    left = [(conflict, _names(conflict, tables)) for conflict in conflicts]
    for change in later:
        if not left:
            break
        met = touched(change, tables)
        left = [(conflict, names) for conflict, names in left if not names & met]
    return tuple(conflict for conflict, _ in left)


def _names(conflict: Conflict, tables: Tables) -> frozenset[Identity]:
    table = tables[conflict.table]
    images = (conflict.replica_row, conflict.incoming, conflict.expected)
    values = (identity_values(table, image) for image in images if image is not None)
    return frozenset((table.name, value) for value in values if value is not None)


def beside(swaps: Iterable[Swap], changes: tuple[RowChange, ...], tables: Tables) -> tuple[RowChange, ...]:
    """The transaction's changes of other rows."""
    names = frozenset(name for swap in swaps for name in _names(swap.conflict, tables))
    return tuple(change for change in changes if not touched(change, tables) & names)
