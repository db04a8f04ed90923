"""Asks both servers for parents that the replica lacks and for children that it has too many.

See ``core/conflicts/foreign_keys/relatives.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import replace

from replfix.core.binlog.column_mapping import there
from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.foreign_keys.cascades import PASSES_ON, keys_taken
from replfix.core.conflicts.foreign_keys.child_rows import Child, Orphan, Replaced, held_by, parents_wanted
from replfix.core.conflicts.foreign_keys.relatives import (
    Reference,
    Since,
    blocking_children,
    comes_back,
    needed_parents,
    parents_of,
    states_then,
    touched_before,
)
from replfix.core.conflicts.reconcile import Conflict, ConflictKind, Reconciliation, RowRepair, identity_values
from replfix.core.remedies.no_applier import is_one
from replfix.core.replication.applier_error import MISSING_PARENT_ERRORS, ApplierError
from replfix.core.rows.lookup import Lookup, by_key
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.filters import Filters
from replfix.core.schema.table import Table, TableName
from replfix.ports import Replica, Server

GENERATIONS = 10
"""How many ancestors of a row are put back before a human has to look."""
CHILDREN = 1000
"""How many children of one row are planned for."""


class Relatives:
    """The conflicts by foreign keys of one transaction, on which the replica stopped with ``error``.

    Definitions that are read are added to ``tables``.
    """

    def __init__(
        self,
        replica: Replica,
        source: Server,
        filters: Filters,
        transaction: Transaction,
        error: ApplierError,
        product: str,
        tables: dict[TableName, Table],
        changes_since: Callable[[], Since],
    ) -> None:
        self._replica = replica
        self._source = source
        self._filters = filters
        self._changes = transaction.changes
        self._error = error
        self._product = product
        self._tables = tables
        self._changes_since = changes_since
        self._alike = set(tables)
        self._conflicts: list[Conflict] = []
        self._repairs: list[RowRepair] = []
        self._untold: dict[str, None] = {}
        self._orphans: dict[Orphan, None] = {}
        self._replaced: list[Replaced] = []
        self._going: dict[tuple[TableName, RowImage], RowImage | None] = {}
        self._coming: set[tuple[TableName, RowImage]] = set()

    def add_foreign_key_conflicts(self, found: Reconciliation) -> Reconciliation:
        """Return the reconciliation with the conflicts that foreign keys cause."""
        if not any(table.foreign_keys or table.referenced_by for table in self._tables.values()):
            return found
        of_transaction = dict(self._tables)
        self._children(of_transaction)
        if is_one(self._product, self._changes, of_transaction, replace(found, replaced=tuple(self._replaced))):
            self._no_cascades(of_transaction)
        own = needed_parents(self._changes, of_transaction)
        refused = frozenset(r.lookup for r in own if self._is_refused(r))
        self._parents((*self._parents_of_repairs(found, of_transaction), *own), refused)
        # A child that is brought to what the source had of it then is none of a row that goes: the source had no such child.
        own_rows = {(r.table, r.current) for r in found.repairs if r.current is not None}
        settled = {(c.table, c.replica_row) for c in self._conflicts if c.kind is ConflictKind.EXTRA} & own_rows
        conflicts = [c for c in self._conflicts if (c.table, c.replica_row) not in settled]
        repairs = [r for r in self._repairs if (r.table, r.current) not in settled]
        if not conflicts and not self._untold and not self._orphans and not self._replaced:
            return found
        return replace(
            found,
            conflicts=(*found.conflicts, *conflicts),
            repairs=(*found.repairs, *(r for r in repairs if r not in found.repairs)),
            blockers=(*found.blockers, *self._untold),
            orphans=tuple(self._orphans),
            replaced=tuple(self._replaced),
        )

    def _is_refused(self, reference: Reference) -> bool:
        """Return whether the error can be about that reference: it names the first one whose parent was missing."""
        if self._error.errno not in MISSING_PARENT_ERRORS:
            return False
        key, error = reference.foreign_key, self._error
        return error.table in (None, str(key.child)) and error.foreign_key in (None, key.name)

    def with_parents(self, found: Reconciliation, wanting: tuple[Child, ...]) -> Reconciliation:
        """Add the missing parents of rows that repairs write, and of those in ``wanting``."""
        written = parents_wanted(found.repairs, self._tables)
        needed = [Reference(key, lookup, 0) for _, key, lookup in written]
        for child in wanting:
            table = self._tables[child.foreign_key.child]
            needed += [r for r in parents_of(table, child.row, 0) if r.foreign_key == child.foreign_key]
        conflicts, self._conflicts, self._repairs, self._untold = self._conflicts, [], [], {}
        self._going = {(r.table, r.current): r.target for r in found.repairs if r.current is not None}
        self._coming = {(r.table, r.target) for r in found.repairs if r.target is not None}
        self._parents(tuple(needed))
        self._conflicts = conflicts  # these are no rows of the transaction
        ours = {(r.table, r.current) for r in self._repairs if r.current is not None}
        return replace(
            found,
            repairs=(*(r for r in found.repairs if (r.table, r.current) not in ours), *self._repairs),
            blockers=tuple(dict.fromkeys((*found.blockers, *self._untold))),
            orphans=tuple(self._orphans),
        )

    def _stands(self, reference: Reference, found: tuple[RowImage, ...]) -> bool:
        """Return whether the parent is there after the repairs: one that was found, or one that they write."""
        table = self._tables[reference.lookup.table]
        columns = [table.column(name).ordinal for name in reference.foreign_key.parent_columns]

        def key(row: RowImage) -> tuple[Value, ...]:
            return tuple(row[ordinal] for ordinal in columns)

        wanted = tuple(part[0] for part in reference.lookup.values)
        for row in found:
            left = self._going.get((table.name, row), row)
            if left is not None and all(a is NOT_LOGGED or a == b for a, b in zip(key(left), key(row), strict=True)):
                return True
        return any(name == table.name and key(row) == wanted for name, row in self._coming)

    def _parents_of_repairs(self, found: Reconciliation, tables: dict[TableName, Table]) -> Iterator[Reference]:
        """Yield the parents that rows which repairs write need as well."""
        for repair in found.repairs:
            if repair.current is None and repair.target is not None:
                change = next((c.change for c in found.conflicts if c.expected == repair.target), 0)
                yield from parents_of(tables[repair.table], repair.target, change)

    # --- parents ---

    def _parents(self, needed: tuple[Reference, ...], own: Container[Lookup] = ()) -> None:
        """``own``: those of rows that the transaction itself writes, and that the replica refused for it."""
        known: set[object] = set()
        for _ in range(GENERATIONS):
            asked = {r.lookup: r for r in needed if r.lookup not in known and self._can_be_asked(r.lookup.table)}
            known.update(asked)
            if not asked:
                return
            answers = self._replica.find(self._tables, tuple(asked))
            missing = [reference for lookup, reference in asked.items() if not self._stands(reference, answers[lookup])]
            if not missing:
                return
            rows = self._source.find(there(self._tables), tuple(r.lookup for r in missing))
            wanted = {r: next(iter(rows[r.lookup]), None) for r in missing}
            states = states_then(self._changes_since(), wanted, self._tables)
            next_generation: list[Reference] = []
            for reference in missing:
                table = self._tables[reference.lookup.table]
                if reference not in states:
                    self._untell_parent(reference)
                    continue
                if (state := states[reference]) is None and reference.lookup in own:
                    self._untold[
                        f"A row of {reference.foreign_key.child} that the transaction writes references "
                        f"{reference.lookup.table} ({reference.lookup}) by {reference.foreign_key.name}. The source has no such row, and none was deleted in its binlog: it wrote the row without that foreign key or without checking it, or the parent was deleted without logging."
                    ] = None
                    continue
                if state is None:
                    self._orphans[Orphan.of(reference.foreign_key, reference.lookup)] = None
                    continue
                self._put_back(reference, table, state)
                next_generation.extend(parents_of(table, state, reference.change))
            needed = tuple(next_generation)
        self._untold[f"More than {GENERATIONS} generations of parents are missing on the replica."] = None

    def _untell_parent(self, reference: Reference) -> None:
        self._untold[
            f"A row of {reference.foreign_key.child} references {reference.lookup.table} ({reference.lookup}) by "
            f"{reference.foreign_key.name}. The replica lacks that parent, and its state on the source at that time is unknown: it is "
            "not there now, or in another table of that name, and what was read of the source's binlog does not have all of it."
        ] = None

    def _put_back(self, reference: Reference, table: Table, state: RowImage) -> None:
        key = table.identity
        lookup = by_key(table, key, state) if key is not None else None
        if key is None or lookup is None:
            self._untold[f"{table.name} has no key that names its rows: a missing parent cannot be put back."] = None
            return
        # The key that is referenced need not be the one that names the row: it can be there with another value.
        held = next(iter(self._replica.find(self._tables, (lookup,))[lookup]), None)
        repair = RowRepair(table.name, held, state)
        if repair in self._repairs or (table.name, state) in self._coming:
            return
        self._repairs.append(repair)
        self._conflicts.append(
            Conflict(
                kind=ConflictKind.MISSING,
                change=reference.change,
                table=table.name,
                keys=(key.name,),
                key_columns=key.columns,
                expected=state,
                incoming=None,
                replica_row=None,
                differences=(),
                foreign_key=reference.foreign_key.name,
            )
        )

    # --- children ---

    def _children(self, tables: dict[TableName, Table]) -> None:
        asked = {r.lookup: r for r in blocking_children(self._changes, tables) if self._can_be_asked(r.lookup.table)}
        if not asked:
            return
        for lookup, rows in self._replica.find(self._tables, tuple(asked)).items():
            reference, table = asked[lookup], self._tables[lookup.table]
            own = touched_before(self._changes, reference.change, self._tables)
            extra = [row for row in rows if (table.name, identity_values(table, row)) not in own]
            if extra and comes_back(self._changes, reference, tables[reference.foreign_key.parent]):
                self._replaced.append(Replaced(reference.foreign_key, lookup, len(extra)))
                continue
            if len(extra) > CHILDREN:
                self._untold[
                    f"{len(extra):,} rows of {table.name} reference a row that the transaction deletes or changes "
                    f"({reference.foreign_key.name}); at most {CHILDREN:,} are planned for."
                ] = None
            for row in extra[:CHILDREN]:
                self._in_the_way(reference, table, row)

    def _no_cascades(self, tables: dict[TableName, Table]) -> None:
        """Refuse where a cascade would change other rows: execution without foreign key checks does not cascade."""
        for index, parent, key, before in keys_taken(self._changes, tables, PASSES_ON):
            held = next((held for held in held_by(parent, before) if held.foreign_key == key), None)
            if held is None or not self._can_be_asked(key.child):
                continue
            own = touched_before(self._changes, index, self._tables)
            child = self._tables[key.child]
            rows = self._replica.find(self._tables, (held.children,))[held.children]
            if any((child.name, identity_values(child, row)) not in own for row in rows):
                self._untold[
                    f"The transaction is one that an applier cannot execute, and a foreign key that cascades ({key.name} of {key.child}) has "
                    "rows of the replica to change that the transaction does not name: replfix does not execute it in its place."
                ] = None

    def _in_the_way(self, reference: Reference, table: Table, row: RowImage) -> None:
        key = table.identity
        self._repairs.append(RowRepair(table.name, row, None))  # once for each of those that are the same
        self._conflicts.append(
            Conflict(
                kind=ConflictKind.EXTRA,
                change=reference.change,
                table=table.name,
                keys=(key.name,) if key is not None else (),
                key_columns=key.columns if key is not None else (),
                expected=None,
                incoming=None,
                replica_row=row,
                differences=(),
                foreign_key=reference.foreign_key.name,
            )
        )

    # --- tables ---

    def _can_be_asked(self, name: TableName) -> bool:
        """Return whether the table is readable, has the same columns on both servers, and is not filtered out."""
        if name not in self._alike:
            ours, theirs = self._replica.table(name), self._source.table(name)
            if not self._filters.origins(name):
                self._untold[f"{name} is referenced, and the channel's replication filters leave it out."] = None
                return False
            if ours is None or theirs is None or [c.name for c in ours.columns] != [c.name for c in theirs.columns]:
                self._untold[f"{name} is referenced, and is not the same table on both servers."] = None
                return False
            self._tables[name] = ours
            self._alike.add(name)
        return True
