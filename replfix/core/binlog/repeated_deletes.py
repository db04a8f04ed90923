"""Deletes that are in a transaction a second time: a cascade deleted the row, and then the statement.

Since 9.6 MySQL logs the changes of cascades, before the parent's own event. A DELETE of several tables then logs a
child that a cascade has deleted once more (seen on 9.7.4). Of a child that lost its reference (ON DELETE SET NULL) it
logs the row as it was before. No applier finds such a row a second time.
"""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.binlog.row_event import RowChange
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import ForeignKey, Table, TableName

Name = tuple[Value, ...]
_Key = tuple[TableName, str, tuple[Value, ...]]  # child, foreign key, what it references


@dataclass(frozen=True, slots=True)
class DeletedAgain:
    """Change ``index`` of the transaction deletes a row that is gone; ``row`` names it, as far as it was logged."""

    index: int
    table: TableName
    row: RowImage


class RowsGone:
    """What the transaction has deleted so far, fed in the order of its changes.

    A row with a key is gone once it was deleted and not written again. Rows that only their values name can be several: one is
    known to be gone when the parent that it references is, and the foreign key takes every such row along.
    """

    def __init__(self) -> None:
        self._rows: dict[tuple[TableName, Name], RowImage] = {}
        self._keys: set[_Key] = set()  # that no row references any more
        self._waiting: dict[_Key, list[tuple[Table, RowImage]]] = {}  # deleted by a cascade, if that parent goes

    def written(self, table: Table, name: Name) -> None:
        """Note that the row is there again."""
        self._rows.pop((table.name, name), None)

    def deleted(self, table: Table, change: RowChange, name: Name) -> None:
        """``name``: what names the row."""
        assert change.before is not None
        if table.identity is not None:
            self._rows[table.name, name] = change.before
        if change.checks_foreign_keys:
            self._passed_on(table, change.before)
            return
        for key in table.foreign_keys:
            values = _values(table, key.child_columns, change.before)
            if values is not None and key.on_delete == "CASCADE":
                parent = key.child, key.name, values
                if parent in self._keys:
                    self._passed_on(table, change.before)
                self._waiting.setdefault(parent, []).append((table, change.before))

    def _passed_on(self, table: Table, row: RowImage) -> None:
        waiting = [(table, row)]
        while waiting:
            parent, image = waiting.pop()
            for key in parent.referenced_by:
                values = _values(parent, key.parent_columns, image)
                if values is not None and (name := (key.child, key.name, values)) not in self._keys:
                    self._keys.add(name)
                    waiting += self._waiting.get(name, ())

    def is_gone(self, table: Table, row: RowImage, name: Name) -> bool:
        """Return whether the transaction has deleted that row before."""
        if table.identity is not None:
            before = self._rows.get((table.name, name))
            return before is not None and _alike(before, row)
        return self._taken_along(table, row, "CASCADE") is not None

    def without_its_parent(self, table: Table, row: RowImage) -> RowImage | None:
        """Return the row as an earlier cascade left it, for a row that only its values name; None where none did."""
        key = self._taken_along(table, row, "SET NULL") if table.identity is None else None
        if key is None:
            return None
        lost = {table.column(name).ordinal for name in key.child_columns}
        return tuple(None if ordinal in lost else value for ordinal, value in enumerate(row))

    def _taken_along(self, table: Table, row: RowImage, rule: str) -> ForeignKey | None:
        for key in table.foreign_keys:
            values = _values(table, key.child_columns, row) if key.on_delete == rule else None
            if values is not None and (key.child, key.name, values) in self._keys:
                return key
        return None


def _values(table: Table, columns: tuple[str, ...], row: RowImage) -> tuple[Value, ...] | None:
    values = tuple(row[table.column(name).ordinal] for name in columns)
    return None if None in values or NOT_LOGGED in values else values


def _alike(one: RowImage, other: RowImage) -> bool:
    return all(a is NOT_LOGGED or b is NOT_LOGGED or a == b for a, b in zip(one, other, strict=True))
