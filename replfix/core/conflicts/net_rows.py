"""What a transaction makes of each row that it touches, from before it to after it, whatever it does in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.reconcile import Identity, RowRepair, identity_values, walk
from replfix.core.rows.row_values import RowImage, laid_over
from replfix.core.schema.table import Table, TableName


def net_rows(
    changes: tuple[RowChange, ...], tables: Mapping[TableName, Table], whole: Mapping[Identity, RowImage]
) -> tuple[RowRepair, ...]:
    """Return each row that is changed in the end, in the order of first touch; ``whole`` has those logged in part.

    Rows that only their values name are counted: as many go and come as there are fewer and more of them.
    """
    rows: list[_Row] = []
    stands: dict[Identity, _Row] = {}  # by the name that a row has now
    gone: dict[Identity, _Row] = {}  # by the one that it had when it was deleted
    unnamed: Counter[tuple[TableName, RowImage]] = Counter()
    for touch in walk(changes, tables):
        change, table = touch.change, touch.table
        if table.identity is None:
            for image, more in ((change.before, -1), (change.left, 1)):
                if image is not None:
                    unnamed[table.name, image] += more
            continue
        row: _Row | None = None
        if change.before is not None:
            name = _named(table, change.before)
            row = None if touch.first else stands.pop(name, None)
            if row is None:
                row = _Row(table.name, whole.get(name, change.before))
                rows.append(row)
        left = change.left
        if left is None:
            assert row is not None
            gone[_named(table, row.now or change.before or ())] = row
            row.now = None
            continue
        if row is None and (row := gone.pop(_named(table, left), None)) is None:
            row = _Row(table.name, None)
            rows.append(row)
        row.now = left if row.now is None else laid_over(row.now, left)
        stands[_named(table, row.now)] = row
    changed = (RowRepair(row.table, row.before, row.now) for row in rows if row.before != row.now)
    return (*changed, *_counted(unnamed))


class _Row:
    def __init__(self, table: TableName, before: RowImage | None) -> None:
        self.table = table
        self.before = before
        self.now = before


def _named(table: Table, image: RowImage) -> Identity:
    values = identity_values(table, image)
    assert values is not None  # walk leaves out what has no name
    return table.name, values


def _counted(rows: Counter[tuple[TableName, RowImage]]) -> Iterator[RowRepair]:
    for (table, image), more in rows.items():
        for _ in range(abs(more)):
            yield RowRepair(table, None, image) if more > 0 else RowRepair(table, image, None)
