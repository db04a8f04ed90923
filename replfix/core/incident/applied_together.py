"""Rows events that MySQL's applier cannot apply, however equal the servers are.

In a table without a key that names its rows, it looks for all rows of an event together: through an index if there is one
that it can search, in the index's order, else in the table's (seen on 9.7.4; MariaDB goes row by row, 11.8.6).

* An event that changes one row twice, first to a value that the index sorts *before* the row's old one, is looked up in the
  wrong order: the row is not found, error 1032. INSERT … ON DUPLICATE KEY UPDATE and REPLACE of several rows log such events.
* An event in which a row takes a value of a unique key that another row of it has to give away first (c = c + 1) meets that
  one: error 1062.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from replfix.core.binlog.row_event import RowChange
from replfix.core.incident.evidence import Evidence
from replfix.core.replication.applier_error import ER_DUP_ENTRY, ER_KEY_NOT_FOUND, ApplierError
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import Table, TableName, UniqueKey

Tables = Mapping[TableName, Table]
Taken = tuple[Table, UniqueKey]


def changed_twice(changes: Iterable[RowChange], tables: Tables) -> Iterator[Table]:
    """Yield, each once, tables without such a key of which one event changes a row that it has changed before."""
    put: dict[tuple[TableName, int], set[RowImage]] = {}
    found: set[TableName] = set()
    for change, table in _updates(changes, tables):
        images = put.setdefault((change.table, change.event_end_pos), set())
        if change.before in images and change.table not in found:
            found.add(change.table)
            yield table
        if change.after is not None:
            images.add(change.after)


def taken_over(changes: Iterable[RowChange], tables: Tables) -> Iterator[Taken]:
    """Yield, each once, tables without such a key and their unique keys with a value that moves between rows of an event.

    One row gives it up, and then another row of the same event takes it.
    """
    given: dict[tuple[TableName, str, int], set[tuple[Value, ...]]] = {}
    found: set[tuple[TableName, str]] = set()
    for change, table in _updates(changes, tables):
        for key in table.unique_keys:
            gone, put = _values(table, key, change.before), _values(table, key, change.left)
            if gone is None or put is None or gone == put:
                continue
            values = given.setdefault((table.name, key.name, change.event_end_pos), set())
            if put in values and (table.name, key.name) not in found:
                found.add((table.name, key.name))
                yield table, key
            values.add(gone)


def misapplied(product: str, error: ApplierError, changes: Iterable[RowChange], tables: Tables) -> Table | None:
    """Return the table on which the replica stopped, where one of the two can be why."""
    of: Iterator[Table] = iter(())
    if product == "MySQL" and error.errno == ER_KEY_NOT_FOUND:
        of = changed_twice(changes, tables)
    elif product == "MySQL" and error.errno == ER_DUP_ENTRY:
        of = (table for table, _ in taken_over(changes, tables))
    return next((table for table in of if str(table.name) == error.table), None)


def stopped_by(evidence: Evidence) -> Table | None:
    """Return the table whose event stopped the replica although its rows are right; None when it was not that."""
    transaction, found = evidence.transaction, evidence.reconciliation
    if transaction is None or found is None:
        return None
    table = misapplied(evidence.status.product, evidence.error, transaction.changes, evidence.tables)
    return table if table is not None and all(c.table != table.name for c in found.conflicts) else None


def keys_taken_over(evidence: Evidence, table: Table) -> tuple[UniqueKey, ...]:
    """Return the table's unique keys of which the failing transaction moves a value between rows of one event."""
    changes = evidence.transaction.changes if evidence.transaction is not None else ()
    return tuple(key for of, key in taken_over(changes, evidence.tables) if of.name == table.name)


def _updates(changes: Iterable[RowChange], tables: Tables) -> Iterator[tuple[RowChange, Table]]:
    for change in changes:
        table = tables.get(change.table)
        if table is not None and table.identity is None and change.before is not None and change.after is not None:
            yield change, table


def _values(table: Table, key: UniqueKey, image: RowImage | None) -> tuple[Value, ...] | None:
    values = tuple(image[ordinal] for ordinal in table.ordinals(key)) if image is not None else (None,)
    return None if None in values or NOT_LOGGED in values else values
