"""Rows that the source has at once, and that a unique key of the replica excludes: the replica cannot have both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.reconcile import Reconciliation, final_rows
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


def kept_apart(
    changes: tuple[RowChange, ...], found: Reconciliation, tables: Mapping[TableName, Table]
) -> Iterator[KeptApart]:
    """Yield the first two such rows of each key. Values are compared to the byte; the rehearsal finds what a collation adds."""
    final = final_rows(changes, tables)
    own = {row.lookup for row in final}
    put = [(tables[r.table], r.target) for r in found.repairs if r.target is not None]
    stay = [(table, row) for table, row in put if by_identity(table, row) not in own]
    written = [(tables[row.lookup.table], row.image) for row in final if row.image is not None]
    told = set()
    for rows in (put, (*written, *stay)):  # before the transaction, and when it is through
        for pair in _one_value_twice(rows):
            if (of := (pair.table.name, pair.key.name)) not in told:
                told.add(of)
                yield pair


def _one_value_twice(rows: Iterable[tuple[Table, RowImage]]) -> Iterator[KeptApart]:
    seen: dict[Lookup, str] = {}
    for table, row in rows:
        name = str(by_identity(table, row))
        for key in table.unique_keys:
            # Whether an expression is NULL for these values, only the server knows.
            value = by_key(table, key, row) if key.of_columns else None
            if value is not None and (other := seen.setdefault(value, name)) != name:
                yield KeptApart(table, key, str(value), other, name)


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
