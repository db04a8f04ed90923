"""Rows that the source has at once, and that a unique key of the replica excludes: the replica cannot have both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from replfix.core.conflicts.reconcile import Reconciliation
from replfix.core.rows.lookup import Lookup, by_identity, by_key
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName, UniqueKey


@dataclass(frozen=True, slots=True)
class KeptApart:
    """Two rows of the source with one value of the replica's ``key``; ``one`` and ``other`` name them."""

    table: Table
    key: UniqueKey
    value: str
    one: str
    other: str


def kept_apart(found: Reconciliation, tables: Mapping[TableName, Table]) -> Iterator[KeptApart]:
    """Yield the first two such rows of each key. Values are compared to the byte; the rehearsal finds what a collation adds."""
    final = found.final.images
    put = [(tables[r.table], r.target) for r in found.repairs if r.target is not None]
    stay = ((table, row) for table, row in put if by_identity(table, row) not in final)
    several = {name for name, table in tables.items() if any(_besides_identity(table))}
    written = (
        (tables[lookup.table], image)
        for lookup, image in (final.items() if several else ())
        if image is not None and lookup.table in several
    )
    told = set()
    for rows in (put, chain(written, stay)):  # before the transaction, and when it is through
        for pair in _one_value_twice(rows):
            if (of := (pair.table.name, pair.key.name)) not in told:
                told.add(of)
                yield pair


def _one_value_twice(rows: Iterable[tuple[Table, RowImage]]) -> Iterator[KeptApart]:
    seen: dict[Lookup, RowImage] = {}
    for table, row in rows:
        for key in _besides_identity(table):
            value = by_key(table, key, row)
            if value is None or (other := seen.setdefault(value, row)) is row:
                continue
            one, name = str(by_identity(table, other)), str(by_identity(table, row))
            if one != name:
                yield KeptApart(table, key, str(value), one, name)


def _besides_identity(table: Table) -> Iterator[UniqueKey]:
    """Yield the keys by which two rows can be kept apart: rows with one value of the key that names them are one row.

    Whether an expression is NULL for the values of a row, only the server knows.
    """
    return (key for key in table.unique_keys if key.of_columns and key is not table.identity)


def enforces(theirs: Table, key: UniqueKey) -> bool:
    """Return whether a key of the table excludes all that this one does: the same parts, or fewer whole columns."""
    return any(
        other.parts == key.parts
        or (
            other.of_columns
            and not any(part.prefix for part in other.parts)
            and {c.lower() for c in other.columns} <= {c.lower() for c in key.columns}
            and not any(part.prefix for part in key.parts)
        )
        for other in theirs.unique_keys
    )


def enforces_alike(theirs: Table, ours: Table, key: UniqueKey) -> bool:
    """Do as ``enforces``, for a key whose texts both tables compare under the same collation."""
    columns = [(ours.column(name), theirs.by_name.get(name.lower())) for name in key.columns]
    alike = all(their is not None and their.collation == our.collation for our, their in columns)
    return alike and enforces(theirs, key)
