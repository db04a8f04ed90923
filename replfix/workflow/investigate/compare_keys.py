"""Whether the rows of a table have other keys on each server: a few rows of each are looked up on the other one."""

from __future__ import annotations

from dataclasses import replace

from replfix.core.binlog.column_mapping import alike, as_far_as_it_fits, there
from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.reconcile import ConflictKind, Reconciliation
from replfix.core.incident.evidence import Apart
from replfix.core.remedies.divergent_keys import column_of_its_own
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.lookup import Lookup, by_identity, some_rows
from replfix.core.schema.table import Table, TableName
from replfix.ports import Replica, Server
from replfix.workflow.investigate.look_up_objects import ReadBacklog, both_definitions, later_of


def find_apart(
    replica: Replica,
    source: Server,
    transaction: Transaction | None,
    found: Reconciliation | None,
    tables: dict[TableName, Table],
    behind: GtidSet | None,
    read_backlog: ReadBacklog,
) -> Apart | None:
    """Return the first table of which at most half of the rows asked for are there under the same key.

    Only where the transactions that the replica has not applied do not explain it.
    """
    conflicts = found.conflicts if found is not None else ()
    for name in dict.fromkeys(c.table for c in conflicts if c.kind is ConflictKind.MISSING and not c.foreign_key):
        ours = tables[name]
        both = both_definitions(replica, source, name.schema, name.name)
        column = column_of_its_own(both.source or "", ours)
        if column is None or transaction is None or not alike(source.table(name), ours):
            continue
        backlog = read_backlog()
        if backlog is None or backlog.unread or behind is None:
            return None
        waiting = _names(transaction, ours)
        for one in source.readable(behind) if name in backlog.changed else ():
            waiting |= _names(one, ours) if isinstance(one, Transaction) else set()
        here, only_here = _only(replica, source, ours, waiting)
        other, only_other = _only(source, replica, ours, waiting)
        if only_here and only_other and 2 * only_here >= here and 2 * only_other >= other:
            return Apart(
                ours, *column, replace(both, later=later_of(backlog, both)), here, only_here, other, only_other
            )
    return None


def _names(transaction: Transaction, table: Table) -> set[Lookup]:
    """Return the names of its rows of that table, before and after it."""
    fitted = as_far_as_it_fits(transaction, {table.name: table})
    images = (image for c in fitted.changes if c.table == table.name for image in (c.before, c.left))
    found = (by_identity(table, image) for image in images if image is not None and len(image) == len(table.columns))
    return {lookup for lookup in found if lookup is not None}


def _only(one: Server, other: Server, table: Table, waiting: set[Lookup]) -> tuple[int, int]:
    """Return how many rows of a server were asked for, and how many of them the other one lacks.

    Without those that change meanwhile.
    """
    asked = some_rows(table)
    tables = there({table.name: table})
    rows = one.find(tables, (asked,))[asked]
    named = {lookup for row in rows if (lookup := by_identity(table, row)) is not None} - waiting
    answers = other.find(tables, tuple(named))
    return len(named), sum(not answers[lookup] for lookup in named)
