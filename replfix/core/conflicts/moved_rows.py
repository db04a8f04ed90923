"""Rows followed through the changes of a log: a row stays the same row under any key, and is not the key's next row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.reconcile import Identity, identity_values
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import Table, TableName


@dataclass(slots=True)
class Followed:
    """A row through all of the changes.

    ``image``: the row after them, as far as it is known; None when it was deleted. ``first``: what the first change of
    it writes; ``later``: columns that the others write.
    """

    image: RowImage | None
    first: RowImage | None = None
    later: set[int] = field(default_factory=set)


def follow(
    changes: Iterable[RowChange], rows: Mapping[Identity, RowImage], tables: Mapping[TableName, Table]
) -> dict[Identity, Followed]:
    """By the names that the rows have before all of the changes."""
    found = {name: Followed(image) for name, image in rows.items()}
    here = dict(found)
    for change in changes:
        table, before = tables.get(change.table), change.before
        if table is None or before is None or len(before) != len(table.columns):
            continue
        name = name_of(table, before)
        row = here.pop(name, None) if name is not None else None
        if row is None:
            continue
        row.image = change.left
        if change.after is None or row.image is None:
            continue
        if row.first is None:
            row.first = change.after
        else:
            row.later.update(n for n, value in enumerate(change.after) if value is not NOT_LOGGED)
        if (name := name_of(table, row.image)) is not None:
            here[name] = row
    return found


def name_of(table: Table, image: RowImage) -> Identity | None:
    """Return what names the row; None where the image lacks that."""
    values = identity_values(table, image)
    return (table.name, values) if values is not None else None
