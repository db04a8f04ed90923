"""What the source, its backlog and foreign keys make of a transaction's conflicts: what has to become of every row in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.apart_by_key import KeptApart
from replfix.core.conflicts.reconcile import Reconciliation
from replfix.core.conflicts.swapped_rows import Swap
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.schema.table import Table, TableName
from replfix.ports import Replica, Server
from replfix.workflow.investigate.compare_rows import note_mismatches
from replfix.workflow.investigate.complete_images import complete_missing_rows
from replfix.workflow.investigate.find_swaps import swaps
from replfix.workflow.investigate.foreign_keys.find_counterparts import (
    ChangesSince,
    find_kept_apart,
    keep_what_the_source_has,
)
from replfix.workflow.investigate.foreign_keys.find_relatives import Relatives
from replfix.workflow.investigate.foreign_keys.plan_children import plan_children
from replfix.workflow.investigate.keyless_tables import doubt_missing_rows
from replfix.workflow.investigate.source.read_source_rows import compare_tables, same_tables, source_rows_of


@dataclass(frozen=True, slots=True)
class Settled:
    """The conflicts of a transaction, and what has to become of their rows."""

    found: Reconciliation  # with the conflicts by foreign keys, before rows of the source were taken into account
    kept: Reconciliation  # the same, with repairs that leave right what the transaction does not touch
    source_rows: tuple[RowImage | NotRead | None, ...]  # for each conflict
    swaps: tuple[Swap, ...]
    apart: tuple[KeptApart, ...]


def compare_with_source(
    replica: Replica,
    source: Server,
    around: tuple[Server, ...],
    status: ReplicaStatus,
    channel: ChannelStatus,
    error: ApplierError,
    transaction: Transaction,
    tables: dict[TableName, Table],
    found: Reconciliation,
    own: Callable[[], Iterable[Transaction]],
    unknowns: list[str],
    *,
    by_gtid: bool,
) -> Settled:
    """Settle what ``compare`` found of one transaction, on which the replica stopped with ``error``.

    ``around``: the servers of a circle, the source first; empty for none. ``own``: what was written here and has not
    reached the source. Definitions that are read are added to ``tables``, what stays open to ``unknowns``.
    """
    since = partial(ChangesSince, source, transaction, status.executed, by_gtid, tables, unknowns)
    relatives = Relatives(replica, source, channel.filters, transaction, error, status.product, tables, since)
    found = relatives.add_foreign_key_conflicts(found)
    note_mismatches(status.product, error, transaction, found, tables, unknowns)
    theirs = same_tables(source, tables, found, unknowns)
    source_rows = source_rows_of(source, found, theirs)
    swapping = swaps(
        around or (source,), since, theirs, transaction, found, source_rows, own, circle=bool(around)
    )  # fmt: skip
    kept = found
    if found.repairs:
        found = doubt_missing_rows(replica, source, since, tables, theirs, found)
        found = complete_missing_rows(replica, source, since, transaction.changes, tables, theirs, found)
        only_here: set[TableName] = set()

        def settle(found: Reconciliation) -> Reconciliation:
            compare_tables(source, tables, found, theirs, only_here, unknowns)
            return keep_what_the_source_has(
                replica,
                source,
                transaction,
                status.executed,
                by_gtid,
                tables,
                theirs,
                found,
                unknowns,
                only_here,
            )

        kept = plan_children(replica, tables, transaction.changes, found, settle, relatives.with_parents)
    apart = find_kept_apart(source, kept, tables)
    return Settled(found, kept, source_rows, swapping, apart)
