"""Asks the replica for the rows that reference other rows, and decides what becomes of them.

See ``core/conflicts/foreign_keys/child_rows.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.child_rows import Child, ReferencedKey, cascade_effects, held_by, released_keys
from replfix.core.conflicts.reconcile import Reconciliation, RowRepair
from replfix.core.rows.lookup import Lookup, by_identity
from replfix.core.rows.row_diff import differing, same
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import ForeignKey, Table, TableName
from replfix.errors import Refused
from replfix.ports import Replica, Server

CHILDREN = 1000
"""How many children of rows that go are planned for."""
GENERATIONS = 10
"""How many generations of children go with their parents before a human has to look."""

_Named = tuple[TableName, RowImage]
_Of = tuple[ForeignKey, RowImage]

Settle = Callable[[Reconciliation], Reconciliation]
"""Brings rows that a plan would take out to what the source has of them, and adds those that are then in the way."""
PutParents = Callable[[Reconciliation, tuple[Child, ...]], Reconciliation]
"""Adds the parents that written rows reference, and those of the children given, where the replica would not have them."""


def children_on(
    server: Server, tables: dict[TableName, Table], rows: Iterable[tuple[TableName, RowImage]]
) -> tuple[Child, ...]:
    """Return the server's rows that reference any of ``rows``, one for each foreign key; not their own children.

    ``tables`` gains the tables of the children. Refused, with their number, when they are more than CHILDREN.
    """
    return referencing(server, tables, [held for name, row in rows for held in held_by(tables[name], row)])


def referencing(server: Server, tables: dict[TableName, Table], keys: Iterable[ReferencedKey]) -> tuple[Child, ...]:
    """Do as ``children_on``, for those referenced keys only."""
    asked = {held.children: held for held in keys}
    for lookup in asked:
        if lookup.table not in tables:
            tables[lookup.table] = _definition(server, lookup.table)
    counted = server.count(tables, tuple(asked)) if asked else {}
    if (number := sum(counted.values())) > CHILDREN:
        most = max(counted, key=lambda lookup: counted[lookup])
        key = asked[most].foreign_key
        raise Refused(
            f"{number:,} rows of {server.address} reference rows that would be deleted or get another key, {counted[most]:,} of them "
            f"by {key.name} of {key.child}; at most {CHILDREN:,} are planned for."
        )
    answers = server.find(tables, tuple(lookup for lookup in asked if counted[lookup]))
    return tuple(
        Child(asked[lookup].foreign_key, row, asked[lookup].row) for lookup, found in answers.items() for row in found
    )


def _definition(server: Server, name: TableName) -> Table:
    table = server.table(name)
    if table is None:
        raise Refused(
            f"{name} references a row that would be deleted or get another key, and may not be read on {server.address}."
        )
    return table


def plan_children(
    replica: Replica,
    tables: dict[TableName, Table],
    changes: tuple[RowChange, ...],
    found: Reconciliation,
    settle: Settle,
    put_parents: PutParents,
) -> Reconciliation:
    """Return the reconciliation with what becomes of the children of its rows.

    ``kept`` and ``cascade_effects`` name them, and the latter are among the repairs. Each has a parent when the
    transaction is applied, or references none.
    """
    family = _Family(replica, tables, changes)
    for _ in range(GENERATIONS):
        settled = settle(found)
        try:
            found = family.followed(settled, settle, put_parents)
        except Refused as error:
            return replace(settled, blockers=tuple(dict.fromkeys((*settled.blockers, error.message))))
        if found.repairs == settled.repairs:
            return found
    reason = f"More than {GENERATIONS} generations of rows reference each other and would have to be deleted."
    return replace(found, blockers=(*found.blockers, reason))


def _alike(children: Iterable[Child]) -> int:
    """Return how many rows these are: each is there once per foreign key. More than one only where no key names them."""
    return max(Counter(child.foreign_key for child in children).values())


class _Family:
    def __init__(self, replica: Replica, tables: dict[TableName, Table], changes: tuple[RowChange, ...]) -> None:
        self._replica = replica
        self._tables = tables
        self._changes = changes
        self._bereft: dict[_Named, Child] = {}
        self._writes: dict[ForeignKey, dict[tuple[Value, ...], Lookup]] = {}
        self._held_now: dict[ForeignKey, frozenset[RowImage]] = {}

    def followed(self, found: Reconciliation, settle: Settle, put_parents: PutParents) -> Reconciliation:
        """Return the children of the next generation."""
        lost = released_keys(found.repairs, self._tables)
        children = referencing(self._replica, self._tables, lost)
        bereaved = {(child.foreign_key, child.parent) for child in children}
        losses = {of: held for held in lost if (of := (held.foreign_key, held.row)) in bereaved}
        stands = {of: self._stands(held, found) for of, held in losses.items()}
        repaired = {(r.table, r.current): r for r in found.repairs}
        kept: list[Child] = []
        wanting: list[Child] = []
        leave: dict[_Named, list[Child]] = {}
        for child in children:
            name, of = (child.foreign_key.child, child.row), (child.foreign_key, child.parent)
            if name in repaired:
                if not stands[of] and self._still_references(child, repaired[name]):
                    wanting.append(child)
            elif stands[of] and losses[of].becomes is None:
                kept.append(child)
            else:
                leave.setdefault(name, []).append(child)
        if leave:
            found = self._left(found, leave, losses, settle, wanting)
        found = put_parents(found, tuple(wanting))
        left = {(r.table, r.current) for r in found.repairs}
        # The source has no such parent, or spells its key otherwise: what is one value, the rehearsal finds out.
        still = {(held.foreign_key, held.row) for held in released_keys(found.repairs, self._tables)}
        kept += (
            child
            for child in wanting
            if (child.foreign_key.child, child.row) not in left and (child.foreign_key, child.parent) in still
        )
        return replace(
            found, kept=tuple(kept), cascade_effects=tuple(c for name, c in self._bereft.items() if name in left)
        )

    def _left(
        self,
        found: Reconciliation,
        leave: Mapping[_Named, list[Child]],
        losses: Mapping[_Of, ReferencedKey],
        settle: Settle,
        wanting: list[Child],
    ) -> Reconciliation:
        """With children that lose a parent: as the source has them, else as their foreign keys say."""
        going = tuple(RowRepair(*name, None) for name, of in leave.items() for _ in range(_alike(of)))
        repairs: list[RowRepair] = []
        settled = settle(replace(found, repairs=(*found.repairs, *going)))
        for repair in settled.repairs:
            table, current = self._tables[repair.table], repair.current
            children = leave.get((repair.table, current)) if current is not None else None
            if children is None or current is None:
                repairs.append(repair)
                continue
            if repair.target is None:
                lost = [losses[child.foreign_key, child.parent] for child in children]
                repair = replace(repair, target=cascade_effects(table, current, lost))
                if table.identity is None:
                    self._check_nameless(table, repair)
            elif same(table, current, repair.target):
                wanting.extend(children)  # the source has it just so: what it lacks is its parent
                continue
            repairs.append(repair)
            self._bereft.setdefault((repair.table, current), children[0])
        return replace(settled, repairs=tuple(repairs))

    def _check_nameless(self, table: Table, repair: RowRepair) -> None:
        """Check that rows which are the same are deleted or changed together.

        Where others are already what they would become, or a unique key could keep two from being the same, nothing
        could distinguish them afterwards.
        """
        lookup = by_identity(table, repair.target) if repair.target is not None else None
        if lookup is None:
            return
        assert repair.current is not None
        assert repair.target is not None
        changed = set(differing(table, repair.current, repair.target))
        if (
            changed & {name for key in table.unique_keys for name in key.columns}
            or self._replica.find(self._tables, (lookup,))[lookup]
        ):
            raise Refused(
                f"{table.name} has no key that names its rows: those that reference a row that goes cannot be taken out of it "
                "without being mistaken for others."
            )

    def _still_references(self, child: Child, repair: RowRepair) -> bool:
        if repair.target is None:
            return False
        table = self._tables[repair.table]
        ordinals = [table.column(name).ordinal for name in child.foreign_key.child_columns]
        return all(repair.target[o] is NOT_LOGGED or repair.target[o] == child.row[o] for o in ordinals)

    def _stands(self, held: ReferencedKey, found: Reconciliation) -> bool:
        """Return whether a row has the key after the transaction: one that it writes, or another row of the replica."""
        if held.values in self._written(held.foreign_key):
            return True
        going = {(r.table, r.current) for r in found.repairs}
        others = self._replica.find(self._tables, (held.holders,))[held.holders]
        return any((held.foreign_key.parent, row) not in going for row in others) or held.row in self._respelt(
            held.foreign_key
        )

    def _respelt(self, key: ForeignKey) -> frozenset[RowImage]:
        """Return rows of the replica that have a value of that key which the transaction writes, in any spelling.

        Which texts are one value, only the replica knows.
        """
        table = self._tables[key.parent]
        if all(table.column(name).charset is None for name in key.parent_columns):
            return frozenset()
        if key not in self._held_now:
            answers = self._replica.find(self._tables, tuple(self._written(key).values()))
            self._held_now[key] = frozenset(row for rows in answers.values() for row in rows)
        return self._held_now[key]

    def _written(self, key: ForeignKey) -> dict[tuple[Value, ...], Lookup]:
        """Return the values of that referenced key which the transaction writes."""
        if key not in self._writes:
            table = self._tables[key.parent]
            images = (left for c in self._changes if c.table == key.parent and (left := c.left) is not None)
            held = (h for image in images for h in held_by(table, image) if h.foreign_key == key)
            self._writes[key] = {h.values: h.holders for h in held}
        return self._writes[key]
