"""The replica's rows as they will be when the applier has come to some transaction of the backlog.

The replica is asked once for what each look-up finds now; from there on, what earlier transactions of the backlog write,
move and delete is kept here. So a look-up has the same answer as the replica would give then. Which values are equal
under a collation is the server's decision: it was asked for every value that the backlog has. Only for a value
against a value that is in none of the replica's rows it is the log's: they are equal when they are the same to the byte.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.child_rows import OF_CHILD, OF_PARENT, as_child, held_by
from replfix.core.conflicts.reconcile import Identity, RowRepair, identity_values
from replfix.core.rows.lookup import Answers, Lookup, by_identity, by_key
from replfix.core.rows.row_values import Json, RowImage, Value, laid_over
from replfix.core.schema.table import Column, Table, TableName, UniqueKey

Weigh = Callable[[Column, Sequence[str]], list[bytes]]
"""What the replica compares of texts, as ``ports.Rows.weights``."""

Ask = Callable[[Mapping[TableName, Table], Sequence[Lookup]], Answers]
"""What the replica's rows are now, as ``ports.Rows.find``."""

_Weighed = tuple[TableName, str, tuple[tuple[Value, ...], ...]]  # table, key, what the replica compares of its values
_BYTES_OF_A_LOOKUP, _BYTES_OF_A_ROW, _BYTES_OF_A_VALUE = 400, 300, 60  # measured, CPython 3.11


class ReplicaModel:
    """Rows of the tables in ``tables``, to which a caller adds what it needs."""

    def __init__(self, ask: Ask, weigh: Weigh) -> None:
        self._ask = ask
        self._weigh = weigh
        self.tables: dict[TableName, Table] = {}
        self.apart: dict[TableName, tuple[UniqueKey, ...]] = {}
        """Keys that the source does not enforce as the replica does: rows of the backlog can collide with each other."""
        self.size = 0  # bytes that it takes, roughly
        self._found: dict[Lookup, tuple[RowImage, ...]] = {}  # on the replica now
        self._gone: set[Identity] = set()  # of these, what is not there any more as it was
        self._placed: dict[Lookup, list[RowImage]] = {}  # rows that the backlog, or a repair of it, put there
        self._counts: Counter[Lookup] = Counter()  # of rows without a name: how many more than the replica has now
        self._displaced: set[Identity] = set()  # a repair took them out, and gave back what the source has
        self._displaced_ahead: set[Lookup] = set()  # the same of rows that the backlog put there
        self._emptied: set[TableName] = set()
        self._weights: dict[tuple[TableName, int], dict[str, bytes]] = {}
        self._weighed: dict[_Weighed, list[RowImage]] = {}  # rows that the backlog put there, by the keys in ``apart``

    def fetch(self, lookups: Iterable[Lookup]) -> None:
        """Ask the replica for those that it was not asked for yet, in one go."""
        unknown = [lookup for lookup in dict.fromkeys(lookups) if lookup not in self._found]
        emptied = [lookup for lookup in unknown if lookup.table in self._emptied]
        self._found.update(dict.fromkeys(emptied, ()))
        if wanted := [lookup for lookup in unknown if lookup.table not in self._emptied]:
            answers = self._ask(self.tables, wanted)
            self._found.update(answers)
            self.size += sum(_size(row) for rows in answers.values() for row in rows)
        self.size += _BYTES_OF_A_LOOKUP * len(unknown)

    def forget(self) -> None:
        """Drop what the replica has answered: it can be asked again, and does not change meanwhile."""
        rows = sum(_size(row) for rows in self._found.values() for row in rows)
        self.size -= rows + _BYTES_OF_A_LOOKUP * len(self._found)
        self._found.clear()

    def find(self, lookups: Iterable[Lookup]) -> Answers:
        """Return what each look-up would find."""
        asked = tuple(lookups)
        self.fetch(asked)
        return {lookup: tuple(self._rows(lookup)) for lookup in asked}

    @property
    def has_displaced(self) -> bool:
        """Whether repairs took out rows of which the source's form is not known."""
        return bool(self._displaced or self._displaced_ahead)

    def is_ahead(self, table: TableName, row: RowImage) -> bool:
        """Return whether the row is there by the backlog, and not on the replica now as it is."""
        lookup = by_identity(self.tables[table], row)
        return lookup is not None and row in self._placed.get(lookup, ())

    def _rows(self, lookup: Lookup) -> Iterator[RowImage]:
        table = self.tables[lookup.table]
        found = () if lookup.table in self._emptied else self._found[lookup]
        if lookup.key is None:
            left = len(found) + self._counts[lookup]
            yield from found[:left]
            one = found[0] if found else next(iter(self._placed.get(lookup, ())), None)
            yield from [one] * (left - len(found)) if one is not None else ()
            return
        yield from (row for row in found if not self._is_gone(table, row))
        yield from self._placed.get(self._compared_as(lookup), ())

    def _is_gone(self, table: Table, row: RowImage) -> bool:
        if table.identity is None:
            whole = by_identity(table, row)
            if whole is None or self._counts[whole] >= 0:
                return False
            self.fetch((whole,))
            return -self._counts[whole] >= len(self._found[whole])
        return _identity(table, row) in self._gone

    # --- rows of the backlog under keys of the replica ---

    def clashes(self, table: Table, row: RowImage) -> Iterator[tuple[UniqueKey, RowImage]]:
        """Yield rows that the backlog put there and that have a key of ``apart`` with this one."""
        for key, weighed in self._keys_apart(table, row):
            yield from ((key, other) for other in self._weighed.get(weighed, ()))

    def _keys_apart(self, table: Table, row: RowImage) -> Iterator[tuple[UniqueKey, _Weighed]]:
        for key in self.apart.get(table.name, ()):
            lookup = by_key(table, key, row)
            if lookup is not None:
                values = tuple(
                    tuple(self._compared(table, name, value) for name, value in zip(part.columns, of_part, strict=True))
                    for part, of_part in zip(lookup.parts, lookup.values, strict=True)
                )
                yield key, (table.name, key.name, values)

    def _compared_as(self, lookup: Lookup) -> Lookup:
        """Return the look-up by a foreign key with what the replica compares of its texts: a child may spell them otherwise."""
        table = self.tables[lookup.table]
        if lookup.key is None or not lookup.key.endswith((OF_PARENT, OF_CHILD)):
            return lookup
        pairs = zip(lookup.parts, lookup.values, strict=True)
        values = tuple((self._compared(table, part.column or "", of[0]),) for part, of in pairs)
        return Lookup(lookup.table, lookup.key, lookup.parts, values)

    def _compared(self, table: Table, name: str, value: Value) -> Value:
        column = table.column(name)
        if not isinstance(value, str) or column.charset is None or column.labels:
            return value
        known = self._weights.setdefault((table.name, column.ordinal), {})
        if value not in known:
            (known[value],) = self._weigh(column, (value,))
        return known[value]

    def weigh(self, changes: Iterable[RowChange]) -> None:
        """Ask the replica in one go what it compares of the texts that these changes write."""
        wanted: dict[tuple[TableName, int], dict[str, None]] = {}
        for change in changes:
            table, left = self.tables.get(change.table), change.left
            for key in self.apart.get(change.table, ()) if table is not None and left is not None else ():
                assert table is not None
                assert left is not None
                for part in key.parts:
                    for name in part.columns:
                        column = table.column(name)
                        value = left[column.ordinal]
                        if isinstance(value, str) and column.charset is not None and not column.labels:
                            wanted.setdefault((table.name, column.ordinal), {})[value[: part.prefix]] = None
        for (of, ordinal), texts in wanted.items():
            known = self._weights.setdefault((of, ordinal), {})
            unknown = [text for text in texts if text not in known]
            found = self._weigh(self.tables[of].columns[ordinal], unknown) if unknown else []
            known.update(zip(unknown, found, strict=True))

    # --- what the backlog does ---

    def apply(self, change: RowChange, row: RowImage | None = None) -> None:
        """Do what an applier does that finds the row, and no other one in its way; ``row``: if it takes another one."""
        table = self.tables[change.table]
        if row is not None:
            self.remove(table, row)
        elif change.before is not None:
            lookup = by_identity(table, change.before)
            row = next(iter(self.find((lookup,))[lookup]), None) if lookup is not None else None
            self.remove(table, row if row is not None else change.before)
        if (left := change.left) is not None:
            after = change.after if change.after is not None else left
            self.place(table, laid_over(row, after) if row is not None else left)

    def remove(self, table: Table, row: RowImage) -> None:
        """Take a row away that ``find`` has given."""
        lookup = by_identity(table, row)
        if lookup is None:
            return
        if lookup.key is None:
            self._counts[lookup] -= 1
            if lookup in self._placed and row in self._placed[lookup]:
                self._unplace(table, row)
        elif row in self._placed.get(lookup, ()):
            self._unplace(table, row)
        else:
            self._gone.add(_identity(table, row))
            self.size += _BYTES_OF_A_ROW

    def place(self, table: Table, row: RowImage) -> None:
        """Put a row there."""
        for lookup in dict.fromkeys(map(self._compared_as, _named_by(table, row))):
            self._placed.setdefault(lookup, []).append(row)
            self.size += _BYTES_OF_A_LOOKUP
        name = by_identity(table, row)
        if name is not None and name.key is None:
            self.fetch((name,))
            self._counts[name] += 1
        for _, weighed in self._keys_apart(table, row):
            self._weighed.setdefault(weighed, []).append(row)
        self.size += _size(row)

    def _unplace(self, table: Table, row: RowImage) -> None:
        for lookup in dict.fromkeys(map(self._compared_as, _named_by(table, row))):
            held = self._placed.get(lookup, [])
            if row in held:
                held.remove(row)
                self.size -= _BYTES_OF_A_LOOKUP
            if not held:
                self._placed.pop(lookup, None)
        for _, weighed in self._keys_apart(table, row):
            held = self._weighed.get(weighed, [])
            if row in held:
                held.remove(row)
        self.size -= _size(row)

    def empty(self, name: TableName) -> None:
        """Note that no row is left: TRUNCATE, or the table was dropped."""
        self._emptied.add(name)
        for lookup in [lookup for lookup in self._placed if lookup.table == name]:
            del self._placed[lookup]
        for lookup in [lookup for lookup in self._counts if lookup.table == name]:
            del self._counts[lookup]
        for weighed in [weighed for weighed in self._weighed if weighed[0] == name]:
            del self._weighed[weighed]
        self.forget()

    # --- what repairs do ---

    def repair(self, repairs: Iterable[RowRepair]) -> None:
        """Bring rows to what a transaction expects.

        A row that has to go is the source's in some other form, or none of its rows: what it was then, only a later
        transaction shows (``restore``).
        """
        for repair in repairs:
            table = self.tables[repair.table]
            if repair.current is not None:
                ahead = self.is_ahead(repair.table, repair.current)
                self.remove(table, repair.current)
                if repair.target is None and ahead:
                    self._displaced_ahead.update(filter(None, (by_identity(table, repair.current),)))
                elif repair.target is None and table.identity is not None:
                    self._displaced.add(_identity(table, repair.current))
            if repair.target is not None:
                self.place(table, _over(repair.current, repair.target))

    def restore(self, table: Table, before: RowImage) -> None:
        """Put a row that a repair took out back as the source had it, because a later transaction shows that it had it."""
        lookup = by_identity(table, before)
        if lookup is None or lookup.key is None or self.find((lookup,))[lookup]:
            return
        was = next((row for row in self._found[lookup] if _identity(table, row) in self._displaced), None)
        if was is None and lookup not in self._displaced_ahead:
            return
        keys = (by_key(table, key, before) for key in table.unique_keys)
        others = self.find(dict.fromkeys(key for key in keys if key is not None))
        self.repair(RowRepair(table.name, row, None) for rows in others.values() for row in dict.fromkeys(rows))
        self.place(table, _over(was, before))


def _identity(table: Table, row: RowImage) -> Identity:
    values = identity_values(table, row)
    assert values is not None  # a row that was read has all its columns
    return table.name, values


def _over(current: RowImage | None, target: RowImage) -> RowImage:
    return target if current is None else laid_over(current, target)


def _named_by(table: Table, row: RowImage) -> Iterator[Lookup]:
    """Yield every look-up that finds the row."""
    found = (by_identity(table, row), *(by_key(table, key, row) for key in table.unique_keys))
    yield from (lookup for lookup in found if lookup is not None)
    yield from (held.holders for held in held_by(table, row))
    yield from as_child(table, row)


def _size(row: RowImage) -> int:
    texts = sum(len(value) for value in row if isinstance(value, str | bytes))
    documents = sum(len(value.text) for value in row if isinstance(value, Json))
    return _BYTES_OF_A_ROW + _BYTES_OF_A_VALUE * len(row) + texts + documents
