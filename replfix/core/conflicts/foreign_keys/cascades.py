"""What a replica's foreign keys do to rows by themselves when the row that they reference goes or gets another key.

InnoDB's own cascades are in no binlog: a transaction can insert a child and then delete its parent, and its events do not
say that the child went along (MariaDB 11.8.6; MySQL 9.7.4 logs the rows that its cascades change).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from replfix.core.binlog.row_event import RowChange
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import ForeignKey, Table, TableName

PASSES_ON = {"CASCADE", "SET NULL", "SET DEFAULT"}

Alike = tuple[object, ...]
"""Values of a key as far as they distinguish keys here. Which texts are equal depends on the server's collation: all may be."""


def keys_taken(
    changes: Iterable[RowChange], tables: Mapping[TableName, Table], rules: Collection[str]
) -> Iterator[tuple[int, Table, ForeignKey, RowImage]]:
    """Yield referenced keys that a change deletes or changes, where the foreign key's rule for that is one of ``rules``.

    Each with the change's index, the referenced table, the foreign key, and the row that had the key.
    """
    for index, change in enumerate(changes):
        table = tables.get(change.table)
        if table is None or change.before is None or not change.checks_foreign_keys:
            continue
        for key in table.referenced_by:
            if (key.on_delete if change.after is None else key.done_on_update) not in rules:
                continue
            if change.after is None or not unchanged(table, key.parent_columns, change):
                yield index, table, key, change.before


def unchanged(table: Table, columns: Iterable[str], change: RowChange) -> bool:
    """Return whether an update left those columns as they were."""
    assert change.before is not None
    assert change.after is not None
    return all(
        change.after[o] is NOT_LOGGED or change.before[o] == change.after[o]
        for o in (table.column(name).ordinal for name in columns)
    )


@dataclass(frozen=True, slots=True)
class Cascades:
    """Changes of a transaction that foreign keys pass on to children; each number is the index of the last such change."""

    by_key: Mapping[tuple[TableName, str, Alike], int]  # child, foreign key, what it references
    by_child: Mapping[TableName, int]

    @classmethod
    def of(cls, changes: Iterable[RowChange], tables: Mapping[TableName, Table]) -> Cascades:
        """Find the changes that foreign keys pass on."""
        by_key: dict[tuple[TableName, str, Alike], int] = {}
        by_child: dict[TableName, int] = {}
        for index, table, key, before in keys_taken(changes, tables, PASSES_ON):
            by_key[key.child, key.name, _alike(table, key.parent_columns, before)] = index
            by_child[key.child] = index
        return cls(by_key, by_child)

    def reach(self, table: Table, image: RowImage, since: int) -> bool:
        """Return whether a change after ``since`` may have changed or deleted that row, or the one that it references."""
        return any(self._reaches_by(key, table, image) > since for key in table.foreign_keys if self.by_child)

    def _reaches_by(self, key: ForeignKey, table: Table, image: RowImage) -> int:
        values = _alike(table, key.child_columns, image)
        if None in values or not {key.on_delete, key.on_update} & PASSES_ON:
            return -1
        return max(self.by_child.get(key.parent, -1), self.by_key.get((table.name, key.name, values), -1))


def _alike(table: Table, columns: Iterable[str], image: RowImage) -> Alike:
    values = (image[table.column(name).ordinal] for name in columns)
    return tuple(str if isinstance(value, str) else value for value in values)
