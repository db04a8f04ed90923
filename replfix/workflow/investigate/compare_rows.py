"""The rows of a transaction against those of the replica."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from replfix.core.binlog.column_mapping import Fit, OtherType, fit, on_replica, other_digits, other_types
from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.reconcile import Reconciliation, each_as_final, final_rows, questions, reconcile
from replfix.core.incident.applied_together import misapplied
from replfix.core.replication.applier_error import FOREIGN_KEY_ERRORS, ROW_ERRORS, ApplierError
from replfix.core.rows.row_diff import logged_in_part
from replfix.core.schema.table import Table, TableName
from replfix.ports import Replica


@dataclass(frozen=True, slots=True)
class Definitions:
    """The replica's tables of a transaction, and, in words, why rows of the others cannot be compared with its events."""

    tables: dict[TableName, Table]
    mismatches: dict[TableName, str]
    transaction: Transaction
    """In the form of those tables."""
    other_types: tuple[OtherType, ...]
    """Columns that the applier would have to convert."""


class Defining(Protocol):
    """A replica, or what stands in for it, that says how its tables are defined: see ``ports.definitions``."""

    def table(self, name: TableName) -> Table | None:
        """Return the table's definition, None when there is no such table."""
        ...

    def definition(self, schema: str, table: str | None) -> str | None:
        """Return the statement that creates an object, None when there is none."""
        ...


def definitions_of(replica: Defining, transaction: Transaction) -> Definitions:
    """Read the replica's definitions of the transaction's tables, and fit its rows to them."""
    fits: dict[TableName, Fit] = {}
    mismatches: dict[TableName, str] = {}
    for name in dict.fromkeys(change.table for change in transaction.changes):
        table = replica.table(name)
        found = fit(table, transaction.column_names[name]) if table is not None else _no_table(replica, name)
        if isinstance(found, Fit) and (reason := other_digits(found, transaction.changes)):
            found = reason
        if isinstance(found, Fit):
            fits[name] = found
        else:
            mismatches[name] = found
    tables = {name: found.table for name, found in fits.items()}
    others = tuple(
        other for name, found in fits.items() for other in other_types(found, transaction.logged_types.get(name, ()))
    )
    return Definitions(tables, mismatches, on_replica(transaction, fits), others)


def _no_table(replica: Defining, name: TableName) -> str:
    """Return what the replica has in place of a table that can be compared."""
    created = replica.definition(name.schema, name.name)
    if created is None:
        return f"The replica has no table {name}."
    if "SYSTEM VERSIONING" in created:
        return f"{name} is a system-versioned table on the replica: such rows are not compared."
    what = "sequence" if created.startswith("CREATE SEQUENCE") else "view"
    return f"{name} is a {what} on the replica: it has no rows that can be compared."


def compare(
    replica: Replica, transaction: Transaction, tables: Mapping[TableName, Table]
) -> tuple[Reconciliation, tuple[bool, ...]]:
    """Return what blocks the transaction, and for each row that it leaves whether the replica has it like that already."""
    final = final_rows(transaction.changes, tables)
    lookups = dict.fromkeys(row.lookup for row in final)
    lookups.update(dict.fromkeys(questions(transaction.changes, tables)))
    answers = replica.find(tables, tuple(lookups))
    del lookups  # most are in the answers too
    applied = each_as_final(final, tables, answers)
    found = reconcile(transaction.changes, tables, answers, final)
    while found.unasked:
        answers = {**answers, **replica.find(tables, found.unasked)}
        found = reconcile(transaction.changes, tables, answers, final)
    return found, applied


def note_mismatches(
    product: str,
    error: ApplierError,
    transaction: Transaction,
    found: Reconciliation,
    tables: Mapping[TableName, Table],
    unknowns: list[str],
) -> None:
    """Add to ``unknowns`` what does not fit between the replica's message and what was found."""
    for name in found.unidentified:
        unknowns.append(
            f"The events do not have what names a row of {name} on the replica (binlog_row_image is not FULL on the source): "
            "such rows were not compared."
        )
    told = found.blockers or found.replaced or found.again or any(c.foreign_key for c in found.conflicts)
    if error.errno in FOREIGN_KEY_ERRORS and not told:
        unknowns.append("No parent is missing and no child is too many now: somebody changed them since.")
    elif error.table is not None and error.errno in ROW_ERRORS and error.errno not in FOREIGN_KEY_ERRORS:
        named = [name for name in tables if str(name) == error.table]
        unseen = named and not any(c.table == named[0] for c in found.conflicts) and named[0] not in found.unidentified
        known = found.again or misapplied(product, error, transaction.changes, tables) is not None
        if named and tables[named[0]].without_overlaps:
            known = True  # the refusal says why nothing is seen
        if unseen and not known:
            unknowns.append(
                f"The replica stopped on a row of {error.table}, and no row of it is in conflict now: somebody changed it "
                "since, or rows of the transaction collide with each other under a key that the source lacks or compares differently."
            )
    compared = (c for c in transaction.changes if c.table in tables)
    if any(logged_in_part(tables[c.table], image) for c in compared for image in (c.before, c.after)):
        unknowns.append(
            f"The events of {transaction.id} do not have every column (binlog_row_image is not FULL on the source): "
            "differences in the others are not seen."
        )
    # The position in the message is a hint that is checked, never what the transaction is found by.
    if error.end_log_pos is not None and error.log_file == transaction.log_file:
        ends = {change.event_end_pos for change in transaction.changes}
        if error.event in ("Write_rows", "Update_rows", "Delete_rows") and error.end_log_pos not in ends:
            unknowns.append(
                f"The replica names end_log_pos {error.end_log_pos}, where no rows event of {transaction.id} ends."
            )
