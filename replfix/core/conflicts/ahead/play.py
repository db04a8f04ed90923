"""One transaction of the backlog against the replica as it will be then: what the applier meets.

``reconcile`` is the judge of rows by their keys, as in a diagnosis. Which of its conflicts stop the applier, and by
which error, is decided here; so is what foreign keys do, row by row in the order of the events.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.ahead.forecast import Effect
from replfix.core.conflicts.ahead.replica_model import ReplicaModel
from replfix.core.conflicts.foreign_keys.cascades import PASSES_ON, keys_taken, unchanged
from replfix.core.conflicts.foreign_keys.child_rows import ReferencedKey, held_by, references_of
from replfix.core.conflicts.reconcile import (
    Conflict,
    ConflictKind,
    Reconciliation,
    RowRepair,
    questions,
    reconcile,
    walk,
)
from replfix.core.replication.applier_error import ER_DUP_ENTRY, ER_KEY_NOT_FOUND, ER_NO_REFERENCED_ROW_2
from replfix.core.rows.lookup import Answers, Lookup, by_identity, by_key
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import ForeignKey, Table, TableName

ER_ROW_IS_REFERENCED_2 = 1451
Tables = Mapping[TableName, Table]


@dataclass(frozen=True, slots=True)
class Applier:
    """How a replica's applier takes conflicts."""

    takes_by_nullable_key: bool = False
    """MariaDB's finds a row of a table without a key that names rows by a nullable unique key, and compares nothing else."""
    idempotent: bool = False  # replica_exec_mode: rows in the way are overwritten, missing ones are passed over
    skips: frozenset[int] = frozenset()  # replica_skip_errors

    def stops(self, errno: int) -> bool:
        """Return whether that error stops it."""
        return not self.idempotent and errno not in self.skips


@dataclass(frozen=True, slots=True)
class Met:
    """One conflict, as the applier meets it."""

    effect: Effect
    errno: int | None
    conflict: Conflict


@dataclass(frozen=True, slots=True)
class Played:
    """What the applier meets in one transaction, and the tables of which it is not known."""

    met: tuple[Met, ...]
    unidentified: tuple[TableName, ...] = ()
    blockers: tuple[str, ...] = ()
    passed_over: int = 0  # conflicts that the applier passes over without a trace


def asked(changes: tuple[RowChange, ...], tables: Tables, model: ReplicaModel) -> Iterator[Lookup]:
    """Yield the look-ups that ``play`` is sure to need."""
    yield from questions(changes, tables)
    for change in changes:
        table = tables.get(change.table)
        if table is None or not change.checks_foreign_keys:
            continue
        yield from (lookup for _, lookup in _parents(table, change) if lookup.table in model.tables)
        yield from (held.children for held in _released(table, change) if held.children.table in model.tables)


def play(changes: tuple[RowChange, ...], tables: Tables, model: ReplicaModel, applier: Applier) -> Played:
    """Return what the applier meets, and leave the model as the transaction leaves the replica.

    ``tables``: of the rows that are looked at. A transaction that stops the applier is taken as repaired by
    source-wins: every row as it expects it, then applied.
    """
    for touch in walk(changes, tables) if model.has_displaced else ():
        if touch.first and touch.change.before is not None:
            model.restore(touch.table, touch.change.before)
    answers = model.find(questions(changes, tables))
    found = reconcile(changes, tables, answers)
    while found.unasked:
        answers = {**answers, **model.find(found.unasked)}
        found = reconcile(changes, tables, answers)
    carried = _carried_off(changes, tables, model)
    met: list[Met] = []
    passed_over = 0
    for conflict in found.conflicts:
        if carried.get((conflict.table, conflict.replica_row), conflict.change) < conflict.change:
            continue
        one = _met(conflict, changes[conflict.change], tables[conflict.table], answers, applier)
        if isinstance(one, Met):
            met.append(_of_the_backlog(one, model))
        passed_over += one is PASSED_OVER
    for again in found.again:
        conflict = _missing(again.index, tables[again.table], again.row)
        if applier.stops(ER_KEY_NOT_FOUND):
            met.append(Met(Effect.STOPS, ER_KEY_NOT_FOUND, conflict))
        else:
            passed_over += 1
    if any(one.effect is Effect.STOPS for one in met) or applier.idempotent:
        model.repair(_repairs(found, carried, met, applier))
    for one in _relatives(changes, tables, model, {again.index for again in found.again}, applier):
        if one.errno is not None and applier.stops(one.errno):
            met.append(one)
        else:
            passed_over += 1
    met.sort(key=lambda one: one.conflict.change)
    return Played(tuple(met), found.unidentified, found.blockers, passed_over)


PASSED_OVER = object()


def _met(
    conflict: Conflict, change: RowChange, table: Table, answers: Answers, applier: Applier
) -> Met | object | None:
    """Return how the applier meets a conflict; None where it does not: the row is only in the way of a repair."""
    if conflict.kind is ConflictKind.DIFFERENT:
        return Met(Effect.OVERWRITES if change.after is not None else Effect.DELETES_SILENTLY, None, conflict)
    if conflict.kind is ConflictKind.MISSING:
        if applier.takes_by_nullable_key and (row := _by_nullable_key(change, table, answers)) is not None:
            effect = Effect.OVERWRITES if change.after is not None else Effect.DELETES_SILENTLY
            return Met(effect, None, replace(conflict, kind=ConflictKind.DIFFERENT, replica_row=row))
        errno = ER_KEY_NOT_FOUND
    else:
        if not _in_its_way(conflict, change, table, answers):
            return None
        errno = ER_DUP_ENTRY
        if applier.idempotent and change.before is None:
            return Met(Effect.OVERWRITES, None, conflict)
    return Met(Effect.STOPS, errno, conflict) if applier.stops(errno) else PASSED_OVER


def _in_its_way(conflict: Conflict, change: RowChange, table: Table, answers: Answers) -> bool:
    """Return whether the row has a key of what the change leaves, and not only of what a repair would put back."""
    if change.before is None:
        return True
    left = change.left
    if left is None:
        return False
    for key in table.unique_keys:
        lookup = by_key(table, key, left)
        if lookup is None and NOT_LOGGED in left and any(left[o] is not NOT_LOGGED for o in table.ordinals(key)):
            return key.name in conflict.keys
        if lookup is not None and conflict.replica_row in answers.get(lookup, ()):
            return True
    return False


def _by_nullable_key(change: RowChange, table: Table, answers: Answers) -> RowImage | None:
    if table.identity is not None or change.before is None:
        return None
    found = (by_key(table, key, change.before) for key in table.unique_keys)
    rows = (row for lookup in found if lookup is not None for row in answers.get(lookup, ()))
    return next(rows, None)


def _of_the_backlog(met: Met, model: ReplicaModel) -> Met:
    """Return the conflict without its row where only the backlog puts that there."""
    row = met.conflict.replica_row
    if row is None or not model.is_ahead(met.conflict.table, row):
        return met
    return replace(met, conflict=replace(met.conflict, replica_row=None, differences=()))


def _missing(index: int, table: Table, row: RowImage) -> Conflict:
    key = table.identity
    return Conflict(
        kind=ConflictKind.MISSING,
        change=index,
        table=table.name,
        keys=(key.name,) if key is not None else (),
        key_columns=key.columns if key is not None else (),
        expected=row,
        incoming=None,
        replica_row=None,
        differences=(),
    )


def _repairs(
    found: Reconciliation,
    carried: Mapping[tuple[TableName, RowImage | None], int],
    met: Iterable[Met],
    applier: Applier,
) -> Iterator[RowRepair]:
    if not applier.idempotent:
        yield from (r for r in found.repairs if r.target is not None or (r.table, r.current) not in carried)
        return
    for one in met:
        if one.effect is Effect.OVERWRITES and one.conflict.kind is ConflictKind.DUPLICATE:
            yield RowRepair(one.conflict.table, one.conflict.replica_row, None)


# --- foreign keys ---


def _parents(table: Table, change: RowChange) -> Iterator[tuple[ForeignKey, Lookup]]:
    """Yield where the parents are that a server looks for when it makes the change."""
    left = change.left
    if left is None or not table.foreign_keys:
        return
    for key, lookup in references_of(table, left):
        looked_at = (*key.child_columns, *(table.identity.columns if table.identity is not None else ()))
        if change.before is not None and unchanged(table, looked_at, change):
            continue  # a row that gets another key is one more entry in the index of its foreign key
        itself = key.parent == table.name and all(
            left[table.column(theirs).ordinal] == left[table.column(ours).ordinal]
            for theirs, ours in zip(key.parent_columns, key.child_columns, strict=True)
        )
        if not itself:
            yield key, lookup


def _released(table: Table, change: RowChange) -> Iterator[ReferencedKey]:
    """Yield the referenced keys that a change takes away."""
    if change.before is None or not table.referenced_by:
        return
    for held in held_by(table, change.before):
        if change.after is None or not unchanged(table, held.foreign_key.parent_columns, change):
            yield held


def _relatives(
    changes: tuple[RowChange, ...], tables: Tables, model: ReplicaModel, gone: Container[int], applier: Applier
) -> Iterator[Met]:
    """Apply the changes to the model; yield parents that are missing, and children that are too many."""
    for index, change in enumerate(changes):
        table = tables.get(change.table)
        if table is None or index in gone or not _is_found(change, table, model, applier):
            continue
        checked = change.checks_foreign_keys
        for key, lookup in _parents(table, change) if checked else ():
            if key.parent not in model.tables or model.find((lookup,))[lookup]:
                continue
            yield Met(Effect.STOPS, ER_NO_REFERENCED_ROW_2, missing := _no_parent(index, key, lookup, model))
            if missing.expected is not None:
                model.place(model.tables[key.parent], missing.expected)
        if (own := _among_themselves(index, change, table, model)) is not None:
            yield Met(Effect.STOPS, ER_DUP_ENTRY, own)
        model.apply(change)
        for held in _released(table, change) if checked else ():
            yield from _children(index, held, change, model)


def _among_themselves(index: int, change: RowChange, table: Table, model: ReplicaModel) -> Conflict | None:
    """Return the conflict of a row with one of the backlog, by keys that the source does not enforce so; take that away."""
    left = change.left
    if left is None or table.name not in model.apart:
        return None
    itself = None
    if change.before is not None and (name := by_identity(table, change.before)) is not None:
        itself = next(iter(model.find((name,))[name]), None)
    clashes = [(key, row) for key, row in model.clashes(table, left) if row != itself]
    if not clashes:
        return None
    model.repair(RowRepair(table.name, row, None) for row in dict.fromkeys(row for _, row in clashes))
    keys = tuple(dict.fromkeys(key.name for key, _ in clashes))
    return Conflict(
        kind=ConflictKind.DUPLICATE,
        change=index,
        table=table.name,
        keys=keys,
        key_columns=clashes[0][0].columns,
        expected=change.before,
        incoming=change.after,
        replica_row=None,
        differences=(),
    )


def _is_found(change: RowChange, table: Table, model: ReplicaModel, applier: Applier) -> bool:
    """Return whether there is something to change for an applier that passes over what is missing."""
    if change.before is None or not (applier.idempotent or ER_KEY_NOT_FOUND in applier.skips):
        return True
    asking = tuple(questions((replace(change, after=None),), {table.name: table}))
    return any(model.find(asking[:1]).values())


def _no_parent(index: int, key: ForeignKey, lookup: Lookup, model: ReplicaModel) -> Conflict:
    parent = model.tables[key.parent]
    known = {
        parent.column(name).ordinal: values[0] for name, values in zip(key.parent_columns, lookup.values, strict=True)
    }
    row = tuple(known.get(column.ordinal, NOT_LOGGED) for column in parent.columns)
    return replace(_missing(index, parent, row), foreign_key=key.name)


def _children(index: int, held: ReferencedKey, change: RowChange, model: ReplicaModel) -> Iterator[Met]:
    key = held.foreign_key
    child, parent = model.tables.get(key.child), model.tables.get(key.parent)
    if child is None or parent is None:
        return
    rows = model.find((held.children,))[held.children]
    if not rows or model.find((held.holders,))[held.holders]:
        return
    rule = key.on_delete if change.after is None else key.done_on_update
    if rule not in PASSES_ON:
        for row in rows:
            conflict = replace(_missing(index, child, row), kind=ConflictKind.EXTRA, expected=None, replica_row=row)
            yield Met(Effect.STOPS, ER_ROW_IS_REFERENCED_2, replace(conflict, foreign_key=key.name))
            model.remove(child, row)
        return
    left = change.left
    for row in rows:
        passed_on: RowImage | None = None
        if rule != "CASCADE" or left is not None:
            columns = zip(key.child_columns, key.parent_columns, strict=True)
            new = {
                child.column(ours).ordinal: left[parent.column(theirs).ordinal]
                if rule == "CASCADE" and left is not None
                else None
                for ours, theirs in columns
            }
            passed_on = tuple(new.get(ordinal, value) for ordinal, value in enumerate(row))
        model.remove(child, row)
        if passed_on is not None:
            model.place(child, passed_on)
        further = RowChange(child.name, change.kind, row, passed_on, change.event_end_pos)
        for each in _released(child, further):
            yield from _children(index, each, further, model)


def _carried_off(
    changes: tuple[RowChange, ...], tables: Tables, model: ReplicaModel
) -> dict[tuple[TableName, RowImage | None], int]:
    """Return rows that foreign keys delete by themselves, each with the change that makes them do it."""
    found: dict[tuple[TableName, RowImage | None], int] = {}
    for index, table, _, before in keys_taken(changes, tables, PASSES_ON):
        if changes[index].after is not None:
            continue
        waiting = [(table, before)]
        while waiting:
            parent, row = waiting.pop()
            for held in held_by(parent, row):
                child = model.tables.get(held.foreign_key.child)
                if child is None or held.foreign_key.on_delete != "CASCADE":
                    continue
                for each in model.find((held.children,))[held.children]:
                    if (child.name, each) not in found:
                        found[child.name, each] = index
                        waiting.append((child, each))
    return found
