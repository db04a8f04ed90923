"""The source's rows of now, beside those that are in conflict."""

from __future__ import annotations

from collections.abc import Mapping

from replfix.core.binlog.column_mapping import alike, there
from replfix.core.conflicts.reconcile import Conflict, Reconciliation
from replfix.core.rows.lookup import Lookup, by_identity
from replfix.core.rows.row_values import NotRead, RowImage, laid_over
from replfix.core.schema.table import Table, TableName
from replfix.ports import Server


def _row_in_question(conflict: Conflict, table: Table) -> Lookup | None:
    """Return the look-up of the row that a conflict is about.

    By the transaction's own image of it: what it writes, with what it leaves as it is, else what it expects; by the
    replica's row for neither. None where no image has what names the row.
    """
    expected, incoming = conflict.expected, conflict.incoming
    left = incoming if incoming is None or expected is None else laid_over(expected, incoming)
    images = (left, expected) if left is not None or expected is not None else (conflict.replica_row,)
    found = (by_identity(table, image) for image in images if image is not None)
    return next((lookup for lookup in found if lookup is not None), None)


def same_tables(
    source: Server, tables: Mapping[TableName, Table], found: Reconciliation, unknowns: list[str]
) -> dict[TableName, Table]:
    """Return the replica's definitions of those tables in conflict that have the same columns on the source."""
    same: dict[TableName, Table] = {}
    for name in dict.fromkeys(conflict.table for conflict in found.conflicts):
        theirs, ours = source.table(name), tables[name]
        if alike(theirs, ours):
            same[name] = ours
        else:
            unknowns.append(f"The source's table {name} is not the replica's: its rows are not shown.")
    return same


def compare_tables(
    source: Server,
    tables: Mapping[TableName, Table],
    found: Reconciliation,
    theirs: dict[TableName, Table],
    only_here: set[TableName],
    unknowns: list[str],
) -> None:
    """Compare the tables of repairs that are in no conflict: those with the same columns on the source, those it lacks."""
    for name in dict.fromkeys(repair.table for repair in found.repairs):
        if name in theirs or name in only_here or any(conflict.table == name for conflict in found.conflicts):
            continue
        table = source.table(name)
        if table is None:
            only_here.add(name)
        elif alike(table, tables[name]):
            theirs[name] = tables[name]
        else:
            unknowns.append(f"The source's table {name} is not the replica's.")


def source_rows_of(
    source: Server, found: Reconciliation, tables: Mapping[TableName, Table]
) -> tuple[RowImage | NotRead | None, ...]:
    """Return the source's row now for each conflict, by the identity of the transaction's row."""
    asked = tuple(_asked(conflict, tables.get(conflict.table)) for conflict in found.conflicts)
    answers = source.find(there(tables), tuple(dict.fromkeys(x for x in asked if isinstance(x, Lookup))))
    return tuple(next(iter(answers[x]), None) if isinstance(x, Lookup) else x for x in asked)


def _asked(conflict: Conflict, table: Table | None) -> Lookup | NotRead:
    if table is None:
        return NotRead(f"the source's table {conflict.table} is not the replica's")
    return _row_in_question(conflict, table) or NotRead("the event does not have what names the row")
