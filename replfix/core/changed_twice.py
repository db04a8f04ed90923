"""Rows events that MySQL's applier cannot apply, however equal the servers are.

In a table without a key that names its rows, it looks for all rows of an event together: through an index if there is one
that it can search, in the index's order. An event that changes one row twice, first to a value that the index sorts *before*
the row's old one, is looked up in the wrong order: the row is not found, error 1032 (seen on 9.7.4; INSERT … ON DUPLICATE
KEY UPDATE and REPLACE of several rows log such events). Without an index it reads the table, again where that is needed.
MariaDB goes row by row (11.8.6).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from replfix.core.applier_error import ER_KEY_NOT_FOUND
from replfix.core.evidence import Evidence
from replfix.core.row_event import RowChange
from replfix.core.table import Table, TableName
from replfix.core.values import RowImage


def changed_twice(changes: Iterable[RowChange], tables: Mapping[TableName, Table]) -> Iterator[Table]:
    """Tables without such a key of which one event changes a row that it has changed before. Each once."""
    put: dict[tuple[TableName, int], set[RowImage]] = {}
    found: set[TableName] = set()
    for change in changes:
        table = tables.get(change.table)
        if table is None or table.identity is not None or change.before is None or change.after is None:
            continue
        images = put.setdefault((change.table, change.event_end_pos), set())
        if change.before in images and change.table not in found:
            found.add(change.table)
            yield table
        images.add(change.after)


def stopped_by(evidence: Evidence) -> Table | None:
    """The table whose event stopped the replica although all of its rows are there; None when it was not that."""
    error, transaction, found = evidence.error, evidence.transaction, evidence.reconciliation
    if transaction is None or found is None or error.errno != ER_KEY_NOT_FOUND or evidence.status.product != "MySQL":
        return None
    for table in changed_twice(transaction.changes, evidence.tables):
        if str(table.name) == error.table and all(c.table != table.name for c in found.conflicts):
            return table
    return None
