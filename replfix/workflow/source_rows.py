"""The source's rows of now, beside those that are in conflict."""

from __future__ import annotations

from collections.abc import Mapping

from replfix.core.fit import alike, there
from replfix.core.lookup import Lookup, by_identity
from replfix.core.reconcile import Conflict, Reconciliation
from replfix.core.table import Table, TableName
from replfix.core.values import RowImage
from replfix.ports import Server


def _row_in_question(conflict: Conflict) -> RowImage:
    """The transaction's own image of the row: what it writes, else what it expects; the replica's row for neither."""
    image = conflict.incoming if conflict.incoming is not None else conflict.expected
    image = image if image is not None else conflict.replica_row
    assert image is not None
    return image


def same_tables(
    source: Server, tables: Mapping[TableName, Table], found: Reconciliation, unknowns: list[str]
) -> dict[TableName, Table]:
    """The replica's definitions of those tables in conflict that have the same columns on the source."""
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
    """Tables of repairs that are in no conflict: those with the same columns on the source, and those it does not have."""
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
) -> tuple[RowImage | None, ...]:
    """The source's row now for each conflict, by the identity of the transaction's row."""
    lookups: list[Lookup | None] = []
    for conflict in found.conflicts:
        table = tables.get(conflict.table)
        lookups.append(by_identity(table, _row_in_question(conflict)) if table else None)
    answers = source.find(there(tables), tuple(dict.fromkeys(x for x in lookups if x is not None)))
    return tuple(next(iter(answers[x]), None) if x is not None else None for x in lookups)
