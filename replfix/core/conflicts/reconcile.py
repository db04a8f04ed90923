"""A transaction compared with a replica's rows: every conflict at once, not only the one that stopped it.

The rows of the transaction are walked in order. The *first* change that touches a row says what has to be on the
replica before the transaction starts: an update or delete expects its before image; an insert, and the after image of
an update, expect that no other row has any of its unique keys. What earlier rows of the same transaction wrote or
deleted is taken into account: such a row is expected from the transaction, not from the replica.

In a table without a key that names its rows, a row is named by all of its values. Several can then be the same, and
what counts is their number: the applier takes any one of them (MySQL 9.7 compares the whole row, to the byte).

Two pure phases with one batch of look-ups between them: ``questions`` says what to ask the replica, ``reconcile``
concludes from the answers. Of events that do not log every column, the answers show what else to ask.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from replfix.core.binlog.repeated_deletes import DeletedAgain, RowsGone
from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.cascades import Cascades
from replfix.core.conflicts.foreign_keys.child_rows import Child, Orphan, Replaced
from replfix.core.rows.lookup import Answers, Lookup, by_identity, by_key, is_named
from replfix.core.rows.row_diff import differing, logged_in_part, same
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value, laid_over
from replfix.core.schema.table import Table, TableName, UniqueKey

Identity = tuple[TableName, tuple[Value, ...]]


class ConflictKind(enum.StrEnum):
    """In which way a row of the transaction and the replica's rows conflict."""

    DUPLICATE = "duplicate"  # the replica has a row with a unique key that the transaction's row needs
    MISSING = "missing"  # the replica lacks the row that the transaction updates or deletes
    DIFFERENT = "different"  # the row is there, with other values than the before image
    EXTRA = "extra"  # a row of the replica references a row that the transaction deletes, or gives another key


@dataclass(frozen=True, slots=True)
class Conflict:
    """One row of the transaction and at most one row of the replica that do not go together."""

    kind: ConflictKind
    change: int  # index into the transaction's changes
    table: TableName
    keys: tuple[str, ...]  # the unique keys that collide, PRIMARY first; for the other kinds the row's identity
    key_columns: tuple[str, ...]  # of the first of them
    expected: RowImage | None  # before image
    incoming: RowImage | None  # after image
    replica_row: RowImage | None
    differences: tuple[str, ...]
    foreign_key: str = ""  # by which the row is a parent that is missing, or a child too many
    in_part: bool = False  # not every column of the incoming row is in the event

    @property
    def in_words(self) -> str:
        """The conflict for people."""
        if self.kind is ConflictKind.MISSING and self.foreign_key:
            return f"the row that is referenced by {self.foreign_key} is not on the replica"
        return _IN_WORDS[self.kind] + (f" ({self.foreign_key})" if self.foreign_key else "")

    @property
    def identical(self) -> bool:
        """Whether the replica's row is in every column the one that the transaction writes; of a row logged in part: no."""
        whole = self.incoming is not None and not self.in_part
        return self.kind is ConflictKind.DUPLICATE and whole and not self.differences


_IN_WORDS = {
    ConflictKind.DUPLICATE: "a row of the replica has a unique key that the incoming row needs",
    ConflictKind.MISSING: "the row that the transaction changes is not on the replica",
    ConflictKind.DIFFERENT: "the row that the transaction changes has other values on the replica",
    ConflictKind.EXTRA: "a row of the replica still references a row that the transaction deletes or changes",
}


@dataclass(frozen=True, slots=True)
class RowRepair:
    """What has to become of one row of the replica before the transaction can be applied as it is."""

    table: TableName
    current: RowImage | None  # None: the row is missing
    target: RowImage | None  # None: the row has to go
    alike: int = 0  # of a missing row without a name: how many equal rows the replica has


@dataclass(frozen=True, slots=True)
class InPart:
    """A missing row of which not every column is in the event."""

    repair: RowRepair
    row: RowImage | None  # with the source's values of now in their place; None: the source has no such row now
    columns: tuple[str, ...]  # those of them that later transactions have written
    overwritten: str = ""  # the one that has another value in ``row``, because the transaction writes the source's


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Every conflict of a transaction with a replica's rows, and the repairs that resolve them."""

    conflicts: tuple[Conflict, ...]
    repairs: tuple[RowRepair, ...]
    unidentified: tuple[TableName, ...]  # tables of which the event does not log what names a row: not examined
    blockers: tuple[str, ...] = ()  # why it is not known what has to become of a row that is in the way
    held: Mapping[Lookup, int] = field(default_factory=dict)  # of rows without a name: how many the replica has
    replaced: tuple[
        Replaced, ...
    ] = ()  # keys with children that stay, although the transaction deletes them for a moment
    kept: tuple[Child, ...] = ()  # rows that stay, although the row that they reference goes or gets another key
    cascade_effects: tuple[
        Child, ...
    ] = ()  # rows that are repaired because the row that they reference goes or gets another key
    unasked: tuple[Lookup, ...] = ()  # that have to be answered as well before this is the whole
    orphans: tuple[Orphan, ...] = ()  # references of the source's rows that lead nowhere on the source either
    again: tuple[
        DeletedAgain, ...
    ] = ()  # rows that the transaction deletes twice, of which no applier finds the second
    whole: Mapping[Identity, RowImage] = field(
        default_factory=dict
    )  # rows that are logged in part, as the replica has them, by what their before image names
    in_part: tuple[InPart, ...] = ()  # repairs that are not known in full
    made_up: Mapping[RowRepair, tuple[str, ...]] = field(
        default_factory=dict
    )  # of a row that the transaction deletes: columns that no event has, and that get some value before it goes
    overwritten: Mapping[RowRepair, str] = field(
        default_factory=dict
    )  # of a row of which only what the transaction writes is not known: the column that gets another value before, so that it changes
    # something; empty where none can
    final: FinalRows = field(
        default_factory=lambda: FinalRows(), compare=False, repr=False
    )  # what the transaction leaves


def identity_values(table: Table, image: RowImage) -> tuple[Value, ...] | None:
    """Return what names the row: the values of the table's identity key, or without such a key all that are stored.

    None when they were not logged.
    """
    values = table.name_of(image)
    return None if NOT_LOGGED in values else values


class Touch(NamedTuple):
    """One change with what the transaction itself says of its row."""

    number: int  # of the change, from 0
    change: RowChange
    table: Table
    first: bool  # of an update or delete: no earlier change of the transaction put this row in place


def walk(
    changes: tuple[RowChange, ...], tables: Mapping[TableName, Table], again: list[DeletedAgain] | None = None
) -> Iterator[Touch]:
    """Yield each change; deletes of a row that the transaction has deleted before go to ``again`` instead."""
    placed: dict[Identity, int] = {}  # rows that are as the transaction left them
    gone, found = RowsGone(), again if again is not None else []
    for index, change in enumerate(changes):
        table = tables.get(change.table)
        if table is None:
            continue
        first = True
        if change.before is not None:
            deleted = change.before
            before = identity_values(table, deleted)
            if before is None:
                continue
            first = not placed.get((table.name, before))
            if first and change.after is None:
                left = gone.without_its_parent(table, deleted)
                stands = identity_values(table, left) if left is not None else None
                if stands is not None and placed.get((table.name, stands)):
                    found.append(DeletedAgain(index, table.name, deleted))
                    first, before, change = False, stands, replace(change, before=left)
                elif gone.is_gone(table, deleted, before):
                    found.append(DeletedAgain(index, table.name, deleted))
                    continue
            if not first:
                placed[table.name, before] -= 1
            if change.after is None:
                gone.deleted(table, change, before)
        if (left := change.left) is not None:
            after = identity_values(table, left)
            if after is not None:
                named = table.name, after
                placed[named] = placed.get(named, 0) + 1
                gone.written(table, after)
        yield Touch(index, change, table, first)


def questions(changes: tuple[RowChange, ...], tables: Mapping[TableName, Table]) -> tuple[Lookup, ...]:
    """Return every look-up that ``reconcile`` needs, each once, in the transaction's order."""
    asked: dict[Lookup, None] = {}
    for touch in walk(changes, tables):
        table = touch.table
        for image in _images_in_question(touch):
            if (lookup := by_identity(table, image)) is not None:
                asked[lookup] = None
            for key in table.unique_keys:
                if key is not table.identity and (lookup := by_key(table, key, image)) is not None:
                    asked[lookup] = None
    return tuple(asked)


def _images_in_question(touch: Touch) -> Iterator[RowImage]:
    if touch.change.before is not None and touch.first:
        yield touch.change.before
    if (left := touch.change.left) is not None:
        yield left


def reconcile(
    changes: tuple[RowChange, ...],
    tables: Mapping[TableName, Table],
    answers: Answers,
    final: FinalRows | None = None,
) -> Reconciliation:
    """Conclude from the replica's answers. ``tables`` are the replica's definitions, ``final`` where it is known already.

    Raises KeyError when an answer to one of ``questions`` is missing: a caller's mistake, never a guess.
    """
    held, again = _Reconciler(tables, answers), list[DeletedAgain]()
    final = final_rows(changes, tables) if final is None else final
    for touch in walk(changes, tables, again):
        held.take(touch)
    return Reconciliation(
        tuple(held.conflicts),
        held.repairs(),
        tuple(_unidentified(changes, tables)),
        tuple(held.blockers),
        {row.lookup: len(answers[row.lookup]) for row in final if row.lookup.key is None},
        unasked=tuple(held.unasked),
        again=tuple(again),
        whole=held.whole,
        final=final,
    )


def _unidentified(changes: tuple[RowChange, ...], tables: Mapping[TableName, Table]) -> dict[TableName, None]:
    return dict.fromkeys(
        change.table
        for change in changes
        if change.table in tables
        for image in (change.before, change.left)
        if image is not None and not is_named(tables[change.table], image)
    )


def held_after_repairs(found: Reconciliation, tables: Mapping[TableName, Table]) -> dict[Lookup, int]:
    """Return how many of each row without a name the replica has when its rows are repaired."""
    held = dict(found.held)
    for repair in found.repairs:
        for image, change in ((repair.current, -1), (repair.target, 1)):
            lookup = by_identity(tables[repair.table], image) if image is not None else None
            if lookup is not None and lookup in held:
                held[lookup] += change
    return held


def spare_rows(
    changes: tuple[RowChange, ...], tables: Mapping[TableName, Table], held: Mapping[Lookup, int]
) -> dict[Lookup, int]:
    """Return how many of each row without a name the replica has beyond those that the transaction deletes or changes.

    They are still there after it. ``held`` is how many there are before it.
    """
    taken = Counter(
        by_identity(touch.table, touch.change.before)
        for touch in walk(changes, tables)
        if touch.table.identity is None and touch.first and touch.change.before is not None
    )
    return {lookup: count - taken[lookup] for lookup, count in held.items()}


class _Reconciler:
    def __init__(self, tables: Mapping[TableName, Table], answers: Answers) -> None:
        self.tables = tables
        self.answers = answers
        self.conflicts: list[Conflict] = []
        self.expected: dict[Identity, RowImage] = {}  # replica rows that the transaction updates or deletes
        self.latest: dict[Identity, RowImage | None] = {}  # the same rows as the transaction has left them so far
        self.standing: dict[Identity, Identity] = {}  # by the name that a row has now, the one it had on the replica
        self.current: dict[Identity, RowImage] = {}  # replica rows that a conflict names
        self.missing: list[RowRepair] = []
        self.taken: Counter[Lookup] = Counter()  # of rows that are the same, how many the transaction has taken so far
        self.blockers: dict[str, None] = {}
        self.unasked: dict[Lookup, None] = {}
        self.whole: dict[Identity, RowImage] = {}
        # The before and the after image of one change can meet the same replica row: that is one pair, noted once.
        self.paired: set[tuple[int, ConflictKind, RowImage | None]] = set()

    def take(self, touch: Touch) -> None:
        before, own = touch.change.before, None
        if before is not None:
            now = self._named(touch.table, before)
            own = self._expect(touch, before) if touch.first else self.standing.pop(now, None)
        image = touch.change.left
        if image is not None:
            self._collide(touch, image, own)
        if own is None:
            return
        left = self.latest[own]
        if image is None or left is None:
            self.latest[own] = None
            return
        self.latest[own] = stands = laid_over(left, image)
        self.standing[self._named(touch.table, stands)] = own

    def _expect(self, touch: Touch, before: RowImage) -> Identity | None:
        """Require the before image on the replica; return the identity of the row that has it."""
        table, change = touch.table, touch.change
        key = () if table.identity is None else (table.identity,)
        lookup = by_identity(table, before)
        assert lookup is not None  # walk leaves out what has no name
        found = self.answers[lookup][self.taken[lookup] if lookup.key is None else 0 :]
        self.taken[lookup] += 1
        if not found:
            alike = len(self.answers[lookup])
            self.missing.append(RowRepair(table.name, None, before, alike))
            self._note(ConflictKind.MISSING, touch, key, None)
            self._collide(touch, before, None)
            return None
        row = found[0]
        identity = self._named(table, row)
        if identity in self.expected and table.identity is not None:
            self.blockers[
                f"Several rows of {table.name} that the transaction changes are one row on the replica: its key "
                f"{table.identity.name} treats as equal what the source keeps apart."
            ] = None
        self.expected[identity] = before
        self.latest[identity] = whole = laid_over(row, before)
        if NOT_LOGGED in before:
            self.whole[self._named(table, before)] = whole
        if not same(table, before, row):
            self.current[identity] = row
            compared = change.after if change.after is not None else before
            self._note(ConflictKind.DIFFERENT, touch, key, row, compared)
            self._collide(touch, before, identity)
        return identity

    def _collide(self, touch: Touch, image: RowImage, own: Identity | None) -> None:
        """Add a conflict for each row but ``own`` that has a unique key of ``image``."""
        table = touch.table
        colliding: dict[Identity, tuple[RowImage, list[UniqueKey]]] = {}
        left = self.latest[own] if own is not None and NOT_LOGGED in image else None
        for key in table.unique_keys:
            whole = image
            if left is not None and any(image[ordinal] is not NOT_LOGGED for ordinal in table.ordinals(key)):
                whole = laid_over(left, image)  # a key of which only some columns are written
            lookup = by_key(table, key, whole)
            if lookup is None:
                continue
            if whole is not image and lookup not in self.answers:
                self.unasked[lookup] = None
                continue
            for row in self.answers[lookup]:
                identity = self._named(table, row)
                if identity == own or self._freed(identity, key, row):
                    continue
                colliding.setdefault(identity, (row, []))[1].append(key)
        for identity, (row, keys) in colliding.items():
            self.current[identity] = row
            self._note(ConflictKind.DUPLICATE, touch, tuple(keys), row, image)

    def _freed(self, identity: Identity, key: UniqueKey, row: RowImage) -> bool:
        """Return whether an earlier change of the transaction has deleted this row or changed its value of this key.

        Whether the value is another one, the replica decides where it was asked.
        """
        if identity not in self.latest:
            return False
        table, left = self.tables[identity[0]], self.latest[identity]
        if left is None:
            return True
        now = by_key(table, key, left)
        if now is not None and now in self.answers:
            return row not in self.answers[now]
        return now != by_key(table, key, row)

    def _named(self, table: Table, row: RowImage) -> Identity:
        values = identity_values(table, row)
        assert values is not None  # a row that was read has all its columns, and walk leaves out what has no name
        return table.name, values

    def _note(
        self,
        kind: ConflictKind,
        touch: Touch,
        keys: tuple[UniqueKey, ...],
        row: RowImage | None,
        compared: RowImage | None = None,
    ) -> None:
        if (touch.number, kind, row) in self.paired:
            return
        self.paired.add((touch.number, kind, row))
        self.conflicts.append(
            Conflict(
                kind=kind,
                change=touch.number,
                table=touch.table.name,
                keys=tuple(key.name for key in keys),
                key_columns=keys[0].columns if keys else (),
                expected=touch.change.before,
                incoming=touch.change.after,
                replica_row=row,
                differences=differing(touch.table, compared, row) if row is not None and compared is not None else (),
                in_part=logged_in_part(touch.table, touch.change.after),
            )
        )

    def repairs(self) -> tuple[RowRepair, ...]:
        changed = (RowRepair(identity[0], row, self.expected.get(identity)) for identity, row in self.current.items())
        return tuple(r for r in changed if not self._stands(r)) + tuple(self.missing)

    def _stands(self, repair: RowRepair) -> bool:
        """Return whether the row is what the transaction expects, as far as that was logged: there is nothing to repair."""
        current, target = repair.current, repair.target
        return current is not None and target is not None and same(self.tables[repair.table], current, target)


class FinalRow(NamedTuple):
    """One row after the transaction: its image, or None when it is gone.

    Of rows without a name, ``equal`` that are the same.
    """

    lookup: Lookup
    image: RowImage | None
    equal: int = 1


class FinalRows(tuple[FinalRow, ...]):
    """All of them, in the order of the transaction."""

    @cached_property
    def images(self) -> Mapping[Lookup, RowImage | None]:
        """Return each row's image by what finds the row."""
        return {lookup: image for lookup, image, _ in self}


def final_rows(changes: tuple[RowChange, ...], tables: Mapping[TableName, Table]) -> FinalRows:
    """Return the state of every row that the transaction touched, after it.

    ``verify`` compares the replica with it. Rows that a cascade of the same transaction may have changed or deleted are
    left out: no event says what they are after it.
    """
    final: dict[Lookup, RowImage | None] = {}
    since: dict[Lookup, int] = {}
    cascades = Cascades.of(changes, tables)
    placed: Counter[Lookup] = Counter()
    for index, change, table, first in walk(changes, tables):
        if change.before is not None:
            before = by_identity(table, change.before)
            if before is not None:
                final[before] = None
                if before.key is None:
                    placed[before] -= not first
                    final[before] = change.before if placed[before] else None
        if (image := change.left) is not None:
            after = by_identity(table, image)
            if after is not None:
                final[after] = image
                if after.key is None:
                    placed[after] += 1
                if cascades.by_child:
                    since[after] = index
    return FinalRows(
        FinalRow(lookup, image, placed[lookup] if lookup.key is None else 1)
        for lookup, image in final.items()
        if image is None or not cascades.by_child or not cascades.reach(tables[lookup.table], image, since[lookup])
    )


def not_as_final(
    rows: Collection[FinalRow],
    tables: Mapping[TableName, Table],
    answers: Answers,
    spare: Mapping[Lookup, int],
) -> tuple[str, ...]:
    """Say in words which of the rows are not as the transaction leaves them.

    Empty when all are. For ``spare`` see ``spare_rows``.
    """
    left = {row.lookup for row in rows if row.image is not None} if any(row.image is None for row in rows) else set()
    return tuple(
        f"{row.lookup.table} row {row.lookup} {what}"
        for row in rows
        if (what := _wrong_with(row, tables[row.lookup.table], answers[row.lookup], spare, left))
    )


def each_as_final(rows: Collection[FinalRow], tables: Mapping[TableName, Table], answers: Answers) -> tuple[bool, ...]:
    """Return of each row, looked at alone, whether it is as the transaction leaves it."""
    return tuple(
        not _wrong_with(row, tables[row.lookup.table], answers[row.lookup], _NOTHING_SPARE, _NONE_LEFT) for row in rows
    )


_NOTHING_SPARE: Mapping[Lookup, int] = MappingProxyType({})
_NONE_LEFT: frozenset[Lookup] = frozenset()


def _wrong_with(
    row: FinalRow,
    table: Table,
    found: tuple[RowImage, ...],
    spare: Mapping[Lookup, int],
    left: Container[Lookup],
) -> str:
    """Return in words what is not as the transaction leaves the row; ``left``: what finds the rows that it leaves."""
    lookup, image, equal = row
    if lookup.key is None:
        expected = equal + spare.get(lookup, 0)
        return f"is there {len(found)} times, not {expected}" if len(found) != expected else ""
    if image is None:
        # Under a case-insensitive collation the key of a deleted row can find the row that replaced it.
        others = any(by_identity(table, each) not in left for each in found)
        return "is there, and the transaction deletes it" if others else ""
    if not found:
        return "is not there"
    columns = differing(table, image, found[0])
    return f"differs in {', '.join(columns)}" if columns else ""
