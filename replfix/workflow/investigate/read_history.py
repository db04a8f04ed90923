"""Reads the newest part of a server's own binlog, in search of what happened to a few rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from replfix.core.binlog.column_mapping import as_far_as_it_fits
from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.conflicts.reconcile import Identity
from replfix.core.conflicts.row_history import History, compiled
from replfix.core.replication.gtid import GtidSet
from replfix.core.schema.table import Table, TableName
from replfix.errors import ConnectError, ReplicationError, ServerError
from replfix.ports import Server

READ = (100, 1000)
"""How many transactions of each origin are read, in one go after the other, until every row was met."""

MOST_ROWS = 200_000
"""How many rows are decoded in one go. A go that has more is given up."""


def search(
    server: Server,
    executed: GtidSet,
    rows: frozenset[Identity],
    noted: frozenset[Identity],
    tables: Mapping[TableName, Table],
    unknowns: list[str],
) -> History:
    """Return the history of those ``noted``, in the form of ``tables``.

    It is read back until all of ``rows``, which are among them, were found. What cannot be read is noted in
    ``unknowns``, and does not end a diagnosis.
    """
    found = History()
    for count in READ:
        asked = executed.newest(count)
        try:
            more = compiled(fitted(server.readable(asked), tables), asked, executed, noted, tables, MOST_ROWS)
        except (ReplicationError, ConnectError, ServerError) as error:
            unknowns.append(f"The binlog of {server.address} could not be searched: {error.message}")
            return found
        if more is None:
            unknowns.append(
                f"The search in the binlog of {server.address} ended at {MOST_ROWS:,} rows, {len(found.logged)} "
                "transactions back."
            )
            return found
        found = more
        if executed <= asked or all(found.last(row) is not None for row in rows):
            return found
    unknowns.append(
        f"The binlog of {server.address} was searched {len(found.logged):,} transactions back"
        + "".join(f", to {one.when}" for one in list(found.logged.values())[:1])
        + ": not every row in question was met."
    )
    return found


def fitted(
    read: Iterable[Transaction | PassedOver], tables: Mapping[TableName, Table]
) -> Iterator[Transaction | PassedOver]:
    """Yield what was read in the form of ``tables``, as far as it fits."""
    return (as_far_as_it_fits(one, tables) if isinstance(one, Transaction) else one for one in read)
