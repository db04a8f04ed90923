"""Look-ups of the rows that have given key values: the server compares, under its own collations."""

from __future__ import annotations

from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import KeyPart, Table, TableName, UniqueKey

PartValues = tuple[Value, ...]
"""The values of the columns that one part of a key reads: one, or as many as its expression names."""


class Lookup:
    """Rows of ``table`` whose key parts equal those of ``values``. Hashable: the same question is asked once.

    Without a ``key``: rows that are the same in every column that is stored, NULLs included, to the byte. Not changed
    once it is made; no dataclass, because a transaction of a million rows makes several million of them.
    """

    __slots__ = ("_hash", "key", "least", "parts", "table", "values")

    def __init__(
        self,
        table: TableName,
        key: str | None,
        parts: tuple[KeyPart, ...],
        values: tuple[PartValues, ...],
        least: int | None = None,
    ) -> None:
        self.table = table
        self.key = key
        self.parts = parts  # table and key say which: not compared
        self.values = values
        self.least = least  # without a key: rows that are equal in this many columns will do
        self._hash = hash(values)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Lookup)
            and self.values == other.values
            and self.key == other.key
            and self.table == other.table
            and self.least == other.least
        )

    def of(self, table: TableName) -> Lookup:
        """Return the same question about another table."""
        return Lookup(table, self.key, self.parts, self.values, self.least)

    def __repr__(self) -> str:
        return f"Lookup({self.table}, {self.key!r}, {self.values!r}, least={self.least})"

    def __str__(self) -> str:
        return ", ".join(str(value) for of_part in self.values for value in of_part)


Answers = dict[Lookup, tuple[RowImage, ...]]


def by_key(table: Table, key: UniqueKey, image: RowImage) -> Lookup | None:
    """Return the look-up of the rows that collide with ``image`` on ``key``.

    None when no row can: a NULL in a unique key never collides. None too when it cannot be asked: the event did not log
    a column of the key. Whether an expression is NULL, the server finds out.
    """
    if key.of_whole_columns:
        ordinals = table.ordinals(key)
        if len(ordinals) == 1:
            value = image[ordinals[0]]
            if value is None or value is NOT_LOGGED:
                return None
            return Lookup(table.name, key.name, key.parts, ((value,),))
        found = [image[ordinal] for ordinal in ordinals]
        if None in found or NOT_LOGGED in found:
            return None
        return Lookup(table.name, key.name, key.parts, tuple([(value,) for value in found]))
    values: list[PartValues] = []
    for part in key.parts:
        if part.column is None:
            of_part = tuple(image[table.column(name).ordinal] for name in part.reads)
            if NOT_LOGGED in of_part:
                return None
            values.append(of_part)
            continue
        value = image[table.column(part.column).ordinal]
        if value is None or value is NOT_LOGGED:
            return None
        values.append((value if part.prefix is None else _compared(part, value),))
    return Lookup(table.name, key.name, key.parts, tuple(values))


def by_identity(table: Table, image: RowImage) -> Lookup | None:
    """Return the look-up of the row that ``image`` names; in tables without a key for that, of all equal rows.

    None when the event did not log the columns that it takes.
    """
    if table.identity is not None:
        return by_key(table, table.identity, image)
    stored = [column for column in table.columns if not column.generated and not column.own]
    if any(image[column.ordinal] is NOT_LOGGED for column in stored):
        return None
    return Lookup(
        table.name,
        None,
        tuple(KeyPart(column.name) for column in stored),
        tuple((image[column.ordinal],) for column in stored),
    )


def is_named(table: Table, image: RowImage) -> bool:
    """Return whether ``by_identity`` finds what to ask for."""
    values = table.name_of(image)
    return NOT_LOGGED not in values and (table.identity is None or None not in values)


def by_own_identity(table: Table, image: RowImage) -> Lookup | None:
    """Return the look-up of one row that was read from the server itself, by its own columns too."""
    key = table.own_identity if table.own_identity is not table.identity else None
    found = by_key(table, key, image) if key is not None else None
    return found if found is not None else by_identity(table, image)


def by_likeness(table: Table, image: RowImage) -> Lookup | None:
    """Return the look-up of rows that equal the image in half of their columns at least; None when that proves nothing."""
    whole = by_identity(table, image) if table.identity is None else None
    if whole is None or len(whole.parts) == 1:
        return None
    return Lookup(whole.table, None, whole.parts, whole.values, least=(len(whole.parts) + 1) // 2)


def some_rows(table: Table) -> Lookup:
    """Return the look-up of a few rows, whichever the server finds first."""
    parts = tuple(KeyPart(column.name) for column in table.columns[:1])
    return Lookup(table.name, None, parts, ((None,),), least=0)


def _compared(part: KeyPart, value: Value) -> Value:
    """Return the part of a value that the key has: the rest can be of megabytes, and does not count."""
    return value[: part.prefix] if isinstance(value, str | bytes) and part.prefix is not None else value
