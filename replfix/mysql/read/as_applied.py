"""A transaction as the applier of a channel with replication filters applies it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from replfix.core.binlog.row_event import Transaction
from replfix.core.schema.filters import NO_FILTERS, Filters
from replfix.core.schema.table import TableName
from replfix.errors import Unreadable
from replfix.mysql.binlog.events.filtered_events import filtered


def applied_as(filters: Filters, name: TableName) -> TableName | None:
    """Do as ``Filters.applied_as``; Unreadable for ambiguous rules."""
    try:
        return filters.applied_as(name)
    except ValueError as error:
        raise Unreadable(
            f"The channel's replication filters are ambiguous: {error}.",
            "The names of schemas in its rules contain commas or brackets.",
        ) from None


def as_applied(transaction: Transaction, filters: Filters) -> Transaction:
    """Return the transaction as the applier of a channel with these filters applies it."""
    if filters == NO_FILTERS:
        return transaction
    names = {name: applied_as(filters, name) for name in transaction.column_names}
    changes = tuple(
        replace(change, table=name) for change in transaction.changes if (name := names[change.table]) is not None
    )
    left_out = sorted(str(name) for name, renamed in names.items() if renamed is None)
    renamed = sorted(f"{name} as {new}" for name, new in names.items() if new not in (None, name))
    notes = [
        f"The channel's replication filters {done} {', '.join(of)}: so does everything here."
        for done, of in (("leave out", left_out), ("apply", renamed))
        if of
    ]
    return replace(
        transaction,
        changes=changes,
        column_names={new: transaction.column_names[name] for name, new in names.items() if new is not None},
        logged_types={new: types for name, types in transaction.logged_types.items() if (new := names.get(name))},
        raw=filtered(transaction.raw, partial(applied_as, filters)),
        notes=(*transaction.notes, *notes),
    )
