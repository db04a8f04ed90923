"""Asks the source, and all servers of a circle, whether the failing transaction would swap rows.

See ``core/conflicts/swapped_rows.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from replfix.core.binlog.column_mapping import there
from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.reconcile import ConflictKind, Reconciliation
from replfix.core.conflicts.swapped_rows import Swap, Why, deleted_here, questions, swapped, unchanged
from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.schema.table import Table, TableName
from replfix.errors import ReplfixError
from replfix.ports import Server
from replfix.workflow.investigate.foreign_keys.find_counterparts import ChangesSince


def swaps(
    servers: Sequence[Server],
    since: Callable[[], ChangesSince],
    tables: Mapping[TableName, Table],
    transaction: Transaction,
    found: Reconciliation,
    source_rows: Sequence[RowImage | NotRead | None],
    own: Callable[[], Iterable[Transaction]],
    *,
    circle: bool,
) -> tuple[Swap, ...]:
    """Return the conflicts in which servers exchanged rows; ``servers``: the source first; all of a circle.

    ``tables`` are those that are the same there. They also show what later transactions of the source change again;
    where not all of those can be read, a source that follows nobody has its row from one of them. ``own``: what was
    written here, and has not reached the source.
    """
    at: dict[int, tuple[str, Why]] = {}
    if circle and any(conflict.kind is ConflictKind.MISSING for conflict in found.conflicts):
        changes = (change for each in own() for change in each.changes)
        for conflict in deleted_here(found.conflicts, tables, changes):
            at[id(conflict)] = (servers[0].address, Why.DELETED_HERE)
    as_written = {
        id(conflict)
        for conflict, row in zip(found.conflicts, source_rows, strict=True)
        if row is not None and conflict.incoming is not None and row == conflict.incoming
    }
    for server in servers:
        # One of a circle that the transaction has not reached is as before it, which proves nothing.
        if server is not servers[0] and (transaction.gtid is None or transaction.gtid not in server.executed()):
            continue
        settled = at.keys() | (as_written if server is servers[0] else ())
        left = [conflict for conflict in found.conflicts if id(conflict) not in settled]
        asked = questions(left, tables)
        answers = server.find(there(tables), asked) if asked else {}
        for conflict, why in swapped(left, found.final.images, tables, answers, circle=circle):
            at[id(conflict)] = (server.address, why)
    if not at:
        return ()
    later = since()
    behind = later.logged_behind() if circle else ((change, False) for change in later.behind())
    found_so = (Swap(conflict, *at[id(conflict)]) for conflict in found.conflicts if id(conflict) in at)
    kept = unchanged(found_so, tables, behind, circle=circle)
    if later.whole:
        return kept
    return tuple(swap for swap in kept if swap.why is not Why.GIVEN_UP) if _follows(servers[0]) else ()


def _follows(server: Server) -> bool:
    """Return whether it may have rows of others by replication."""
    try:
        return bool(server.channels())
    except ReplfixError:
        return True
