"""First touches: what most rows of a backlog are settled by, without a look at all of their columns.

The first change of the backlog that touches a row says what the replica must have: a row of that name for an update or
delete, none for an insert, and none of its unique values in another row. Once it was touched it is as the source has it,
and the source's rows do not collide with each other. So of a row that was touched nothing is kept but its name.

This holds for tables in which a name is the same for both servers whatever the collation, with whole rows in the log, and
without foreign keys (``is_plain``). It only says which transactions are surely clean; ``reconcile`` judges the others.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol

from replfix.core.binlog.row_event import RowChange
from replfix.core.columns import type_of
from replfix.core.conflicts.reconcile import questions, walk
from replfix.core.rows.lookup import Answers, Lookup, by_identity, by_key
from replfix.core.rows.row_diff import same
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import Column, Table, TableName, UniqueKey

BYTES_OF_A_NAME = 120  # of a number in a set; measured, CPython 3.11
_SET_OF = dict[TableName, "Names"]


class Rows(Protocol):
    """The replica's rows now: see ``ports.rows``."""

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        """Return the rows that each look-up finds."""
        ...

    def named(
        self, table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]], columns: Sequence[Column]
    ) -> list[tuple[Value, ...]]:
        """Return a few columns of the rows that have any of those values of a key."""
        ...

    def count_named(self, table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]]) -> int:
        """Count the rows that ``named`` would find."""
        ...


def is_plain(table: Table) -> bool:
    """Return whether first touches alone tell of a table's rows whether they are clean."""
    if table.identity is None or table.foreign_keys or table.referenced_by or table.has_own or table.without_overlaps:
        return False
    parts = [part for key in table.unique_keys for part in key.parts]
    if any(part.column is None or part.prefix is not None for part in parts):
        return False
    columns = [table.column(part.column or "") for part in parts]
    if any(column.generated or column.labels or not type_of(column).in_a_list for column in columns):
        return False
    return all(table.column(name).charset is None for name in table.identity.columns)


def _values_of(table: Table, key: UniqueKey) -> Callable[[RowImage], tuple[Value, ...]]:
    ordinals = table.ordinals(key)
    if len(ordinals) == 1:
        (only,) = ordinals
        return lambda image: (image[only],)
    return itemgetter(*ordinals)


@dataclass(slots=True)
class Names:
    """One table's rows that were touched, by what names them."""

    table: Table
    name: Callable[[RowImage], tuple[Value, ...]]
    keys: tuple[tuple[UniqueKey, Callable[[RowImage], tuple[Value, ...]], bool], ...]  # the others; whether of text
    one: bool  # the name is one value
    settled: set[object] = field(default_factory=set)
    all: bool = False  # TRUNCATE: nothing of the replica's own is left

    @classmethod
    def of(cls, table: Table) -> Names:
        """Return those of a table, of which nothing was touched."""
        assert table.identity is not None
        keys = tuple(
            (key, _values_of(table, key), any(table.column(name).charset is not None for name in key.columns))
            for key in table.unique_keys
            if key != table.identity
        )
        return cls(table, _values_of(table, table.identity), keys, len(table.identity.parts) == 1)

    def add(self, name: tuple[Value, ...]) -> None:
        """Note that the row was touched."""
        self.settled.add(name[0] if self.one else name)

    def __contains__(self, name: tuple[Value, ...]) -> bool:
        return self.all or (name[0] if self.one else name) in self.settled


Run = Sequence[tuple[RowChange, ...]]
"""The changes of transactions in a row, those of plain tables."""


class FirstTouches:
    """The plain tables of a backlog. ``values``: rows that are there are compared in every column."""

    def __init__(self, rows: Rows, *, values: bool) -> None:
        self._rows = rows
        self._values = values
        self.names: _SET_OF = {}
        self._emptied: set[TableName] = set()

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return BYTES_OF_A_NAME * sum(len(names.settled) for names in self.names.values())

    def add(self, table: Table) -> None:
        """Add a plain table."""
        self.names[table.name] = Names.of(table)
        self.names[table.name].all = table.name in self._emptied

    def empty(self, table: TableName) -> None:
        """Note that no row of the replica's own is left."""
        self._emptied.add(table)
        if table in self.names:
            self.names[table].all = True

    def settle(self, changes: Iterable[RowChange], others: Iterable[tuple[TableName, RowImage]] = ()) -> None:
        """Note the rows of one transaction as touched, and those of the replica that a repair for it displaces."""
        for change in changes:
            names = self.names[change.table]
            for image in (change.before, change.after):
                if image is not None:
                    names.add(names.name(image))
        for table, row in others:
            self.names[table].add(self.names[table].name(row))

    def suspects(self, run: Run) -> set[int]:
        """Return which transactions of a run are not surely clean."""
        found: set[int] = set()
        for names, looks in self._looks(run):
            self._names_in_question(names, looks, found)
            for (key, _, of_text), wanted in zip(names.keys, looks.wanted, strict=True):
                if wanted:
                    self._values_in_question(names, key, wanted, found, of_text=of_text)
        return found

    def _looks(self, run: Run) -> Iterator[tuple[Names, _Looks]]:
        by_table: dict[TableName, _Looks] = {}
        for number, changes in enumerate(run):
            for change in changes:
                names = self.names[change.table]
                looks = by_table.get(change.table)
                if looks is None:
                    looks = by_table[change.table] = _Looks([[] for _ in names.keys])
                if not names.all:
                    looks.take(number, change, names)
        yield from ((self.names[table], looks) for table, looks in by_table.items())

    def _names_in_question(self, names: Names, looks: _Looks, found: set[int]) -> None:
        table, key = names.table, names.table.identity
        assert key is not None
        if looks.absent and self._rows.count_named(table, key, list(looks.absent)):
            columns = [table.column(name) for name in key.columns]
            for name in self._rows.named(table, key, list(looks.absent), columns):
                found.update(each for each in (looks.absent.get(name),) if each is not None)
        if looks.present and self._values:
            self._compare(names, looks, found)
        elif looks.present and self._rows.count_named(table, key, list(looks.present)) < len(looks.present):
            columns = [table.column(name) for name in key.columns]
            there = set(self._rows.named(table, key, list(looks.present), columns))
            found.update(number for name, (number, _) in looks.present.items() if name not in there)

    def _compare(self, names: Names, looks: _Looks, found: set[int]) -> None:
        table = names.table
        asked = {by_identity(table, before): (number, before) for number, before in looks.present.values()}
        answers = self._rows.find({table.name: table}, [lookup for lookup in asked if lookup is not None])
        for lookup, (number, before) in asked.items():
            rows = answers[lookup] if lookup is not None else ()
            if len(rows) != 1 or not same(table, before, rows[0]):
                found.add(number)

    def _values_in_question(
        self, names: Names, key: UniqueKey, wanted: list[_Wanted], found: set[int], *, of_text: bool
    ) -> None:
        by_value: dict[tuple[Value, ...], list[_Wanted]] = {}
        for each in wanted:
            by_value.setdefault(each.value, []).append(each)
        if of_text:
            found.update(_doubtful(by_value))
        assert names.table.identity is not None
        columns = [names.table.column(name) for name in (*names.table.identity.columns, *key.columns)]
        width = len(names.table.identity.columns)
        for row in self._rows.named(names.table, key, list(by_value), columns):
            name, value = row[:width], row[width:]
            if name in names:
                continue
            if value not in by_value:  # another spelling
                found.update(each.number for each in wanted)
                continue
            found.update(each.number for each in by_value[value] if each.own != name)

    def answers(self, changes: tuple[RowChange, ...], tables: Mapping[TableName, Table]) -> Answers:
        """Return what the replica would answer to ``questions`` when it has come to this transaction.

        A row that was touched is as the source has it: as the change expects it, and no other row has its values.
        """
        known: Answers = {}
        for touch in walk(changes, tables):
            before, left = touch.change.before, touch.change.left
            if before is None or not touch.first or (name := by_identity(touch.table, before)) is None:
                continue
            if self.names[touch.table.name].name(before) not in self.names[touch.table.name]:
                continue
            known.setdefault(name, (before,))
            for key in touch.table.unique_keys:
                value = by_key(touch.table, key, before)
                if value is not None and value != name and (left is None or by_key(touch.table, key, left) == value):
                    known.setdefault(value, ())
        asked = [lookup for lookup in questions(changes, tables) if lookup not in known]
        for lookup, rows in self._rows.find(tables, asked).items():
            names = self.names[lookup.table]
            known[lookup] = tuple(row for row in rows if names.name(row) not in names)
        return known


@dataclass(slots=True, frozen=True)
class _Wanted:
    value: tuple[Value, ...]
    number: int  # of the transaction
    own: tuple[Value, ...] | None  # the row that may have it


@dataclass(slots=True)
class _Looks:
    """What to ask about the first touches of a run in one table."""

    wanted: list[list[_Wanted]]  # for each other unique key
    present: dict[tuple[Value, ...], tuple[int, RowImage]] = field(default_factory=dict)
    absent: dict[tuple[Value, ...], int] = field(default_factory=dict)
    seen: set[tuple[Value, ...]] = field(default_factory=set)

    def take(self, number: int, change: RowChange, names: Names) -> None:
        before, after, first, own = change.before, change.after, True, None
        if before is not None:
            own = names.name(before)
            first = own not in self.seen and own not in names
            if first:
                self.present[own] = number, before
                self.seen.add(own)
        if after is None:
            return
        name = names.name(after)
        if name != own and name not in self.seen and name not in names:
            self.absent[name] = number
            self.seen.add(name)
        for wanted, (_, values, _) in zip(self.wanted, names.keys, strict=True):
            value = values(after)
            if None in value or (before is not None and not first and values(before) == value):
                continue
            wanted.append(_Wanted(value, number, own if first else None))


def _doubtful(by_value: Mapping[tuple[Value, ...], list[_Wanted]]) -> Iterator[int]:
    """Yield transactions with texts that may be one value for the replica and are not the same to the byte."""
    folded: dict[object, tuple[Value, ...]] = {}
    for value, wanted in by_value.items():
        texts = [part for part in value if isinstance(part, str)]
        if not all(text.isascii() and text.isprintable() for text in texts):
            yield from (each.number for each in wanted)
            continue
        coarse = tuple(_coarse(part) if isinstance(part, str) else part for part in value)
        if (other := folded.setdefault(coarse, value)) != value:
            yield from (each.number for each in (*wanted, *by_value[other]))


_ONE_FOR_SOME = str.maketrans("wyj", "vii")


def _coarse(text: str) -> str:
    """Fold printable ASCII so that texts which any collation takes for one are one."""
    return unicodedata.normalize("NFKD", text).casefold().translate(_ONE_FOR_SOME).rstrip(" ")


def is_whole(change: RowChange) -> bool:
    """Return whether the change is logged with every column."""
    return NOT_LOGGED not in (change.before or ()) and NOT_LOGGED not in (change.after or ())
