"""Rows of the failing transaction that are out of date: to apply it would part this server from the others.

Two servers that follow each other write the same key, and each stops on the other's row. Once one side has taken the other's
row, that other side's channel is stopped on a row which its own server does not have any more: applied here, it would swap the rows.
In a circle of more servers a row can be gone there for a third one's sake, and a row that was deleted here is deleted there in turn.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.reconcile import Conflict, ConflictKind, Identity, identity_values
from replfix.core.conflicts.row_history import touched
from replfix.core.rows.lookup import Answers, Lookup, by_identity
from replfix.core.rows.row_diff import same
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName

Tables = Mapping[TableName, Table]


class Why(enum.Enum):
    """Why a row is out of date. The value says what came of applying it."""

    EXCHANGED = "exchange the rows, and each server would have the other's"
    GIVEN_UP = "put a row here that is gone where it comes from"
    DELETED_HERE = "put a row here that is deleted everywhere else"


@dataclass(frozen=True, slots=True)
class Swap:
    """A row that is out of date because servers exchanged it.

    ``at``: of exchanged rows the server that has the replica's row, or none where the replica has none; of others the
    one that has given the row up, or deletes it in turn.
    """

    conflict: Conflict
    at: str
    why: Why = Why.EXCHANGED

    def in_words(self, tables: Tables) -> str:
        """Return for people where the row is now."""
        conflict, table = self.conflict, tables[self.conflict.table]
        if self.why is Why.DELETED_HERE and conflict.expected is not None:
            row = by_identity(table, conflict.expected)
            return f"this server has deleted the row {row} of {table.name} itself, and {self.at} gets that"
        if self.why is Why.GIVEN_UP and conflict.incoming is not None:
            row = by_identity(table, conflict.incoming)
            return f"{self.at} does not have the row {row} of {table.name} any more as the transaction left it"
        if conflict.replica_row is None:
            return f"{self.at} has no such row of {table.name} any more, as this server"
        return f"{self.at} has this server's row {by_identity(table, conflict.replica_row)} of {table.name}"


def questions(conflicts: Iterable[Conflict], tables: Tables) -> tuple[Lookup, ...]:
    """Return what to ask another server: its rows under the names of the replica's row and of the transaction's."""
    return tuple(dict.fromkeys(lookup for conflict in conflicts for lookup in _lookups(conflict, tables)))


def swapped(
    conflicts: Iterable[Conflict],
    final: Mapping[Lookup, RowImage | None],
    tables: Tables,
    answers: Answers,
    *,
    circle: bool,
) -> Iterator[tuple[Conflict, Why]]:
    """Yield the conflicts in which that server's row is as the replica's is, and not as the transaction leaves it.

    In a circle, where that server has executed the transaction, also those in which its row is no longer there.
    ``final``: the rows as the transaction leaves them.
    """
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
        if not held or leaves:
            continue
        if stands:
            yield conflict, Why.EXCHANGED
        elif circle and conflict.incoming is not None:
            yield conflict, Why.GIVEN_UP


def deleted_here(conflicts: Iterable[Conflict], tables: Tables, own: Iterable[RowChange]) -> Iterator[Conflict]:
    """Yield the conflicts that miss a row which the last of these changes of it has deleted."""
    deletes: dict[Identity, bool] = {}
    for change in own:
        for image, gone in ((change.before, True), (change.left, False)):
            table = tables.get(change.table)
            values = identity_values(table, image) if table is not None and image is not None else None
            if values is not None:
                deletes[change.table, values] = gone
    for conflict in conflicts:
        if conflict.kind is ConflictKind.MISSING and not conflict.foreign_key and conflict.incoming is not None:
            assert conflict.expected is not None
            values = identity_values(tables[conflict.table], conflict.expected)
            if values is not None and deletes.get((conflict.table, values), False):
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


def unchanged(
    swaps: Iterable[Swap], tables: Tables, later: Iterable[tuple[RowChange, bool]], *, circle: bool
) -> tuple[Swap, ...]:
    """Return those that later changes of the source do not explain.

    ``later``: each with whether it has been executed here; in a circle all of the source's log. It explains a conflict
    that the last change of the rows comes here, and, for a row that the transaction left in a circle, that the first
    one continues from it: one that writes it anew finds it gone.
    """
    left = [(swap, _left(swap, tables) if circle else frozenset(), _names(swap.conflict, tables)) for swap in swaps]
    comes, met_first, anew = set[int](), set[int](), set[int]()
    for change, executed in later if left else ():
        met, before = touched(change, tables), _named(tables, change.table, (change.before,))
        for swap, row, names in left:
            if names & met:
                (comes.discard if executed else comes.add)(id(swap))
            if row & met and id(swap) not in met_first:
                met_first.add(id(swap))
                if not row & before:
                    anew.add(id(swap))
    explained = {id(swap) for swap, row, _ in left if id(swap) in comes - anew and (not row or id(swap) in met_first)}
    return tuple(swap for swap, *_ in left if swap.why is Why.DELETED_HERE or id(swap) not in explained)


def _left(swap: Swap, tables: Tables) -> frozenset[Identity]:
    return _named(tables, swap.conflict.table, (swap.conflict.incoming,))


def _names(conflict: Conflict, tables: Tables) -> frozenset[Identity]:
    return _named(tables, conflict.table, (conflict.replica_row, conflict.incoming, conflict.expected))


def _named(tables: Tables, name: TableName, images: Iterable[RowImage | None]) -> frozenset[Identity]:
    table = tables.get(name)
    if table is None:
        return frozenset()
    values = (
        identity_values(table, image) for image in images if image is not None and len(image) == len(table.columns)
    )
    return frozenset((name, value) for value in values if value is not None)


def beside(swaps: Iterable[Swap], changes: tuple[RowChange, ...], tables: Tables) -> tuple[RowChange, ...]:
    """Return the transaction's changes of other rows: none of them continues from one of those."""
    names = frozenset(name for swap in swaps for name in _names(swap.conflict, tables))
    left = changes
    while True:
        met = [(change, touched(change, tables)) for change in left]
        with_them = [name for _, those in met if those & names for name in those]
        names |= frozenset(with_them)
        others = tuple(change for change, those in met if not those & names)
        if len(others) == len(left):
            return others
        left = others
