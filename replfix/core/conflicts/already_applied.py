"""How many transactions of the backlog, from its first on, a replica's rows already agree with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from replfix.core.binlog.row_event import RowChange, Transaction
from replfix.core.conflicts.reconcile import final_rows, not_as_final
from replfix.core.rows.lookup import Answers, Lookup
from replfix.core.schema.table import Table, TableName


def _together(transactions: Sequence[Transaction]) -> tuple[RowChange, ...]:
    return tuple(change for one in transactions for change in one.changes)


def questions(transactions: Sequence[Transaction], tables: Mapping[TableName, Table]) -> tuple[Lookup, ...]:
    """Return the look-ups of each transaction by itself: taken together, later ones can hide rows of earlier ones."""
    return tuple(dict.fromkeys(row.lookup for one in transactions for row in final_rows(one.changes, tables)))


def run_length(transactions: Sequence[Transaction], tables: Mapping[TableName, Table], answers: Answers) -> int:
    """Return the largest number of transactions, from the first on, whose rows are all as they leave them together.

    0 for none. A later one may change a row of an earlier one again, so they are taken together, not one by one.
    """
    for length in range(len(transactions), 0, -1):
        rows = final_rows(_together(transactions[:length]), tables)
        leaves_rows = [
            any(row.image is not None for row in final_rows(one.changes, tables)) for one in transactions[:length]
        ]
        if all(leaves_rows) and not not_as_final(rows, tables, answers, {}):
            return length
    return 0
