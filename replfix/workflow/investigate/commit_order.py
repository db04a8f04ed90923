"""Workers that committed ahead of the failing transaction, without GTIDs: whether the replica can be started without harm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.reconcile import Reconciliation
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.replication.worker_gaps import left_open
from replfix.errors import ReplicationError
from replfix.ports import Server

GAP_READ = 5000  # replica_checkpoint_group is 512 by default
Conflicts = Callable[[Transaction], int]
"""How many rows of the replica are in the way of a transaction."""

_LOSES_TRACK = "Without GTIDs, a replica that fails once more in its gaps loses track of what is committed: it then applies transactions twice and skips others (seen on 9.7.4)."
_REPOSITION = (
    "What helps: STOP REPLICA, RESET REPLICA (the relay log is deleted, the connection settings stay), and CHANGE REPLICATION SOURCE TO "
    "SOURCE_LOG_FILE and SOURCE_LOG_POS of the first transaction that is not applied, {at}. What workers committed after it comes again then, nothing is left out, and every conflict of it can "
    "be resolved."
)


def check_out_of_order_commits(
    source: Server,
    channel: ChannelStatus,
    transaction: Transaction,
    found: Reconciliation,
    kept: Reconciliation,
    conflicts: Conflicts,
) -> Reconciliation:
    """Return ``kept``, or the same with the reason why nothing must be started.

    ``found`` is the reconciliation before rows of the source were taken into account.
    """
    mark = channel.committed_behind(transaction.id)
    if mark is None:
        return kept
    reason = _doomed(source, channel, transaction, mark, conflicts)
    if not reason and kept.repairs != found.repairs:
        reason = (
            f"A conflicting row is one of the source's too. Workers have committed transactions up to {mark} already, "
            "without GTIDs, so it is unknown how that row has to be now."
        )
    return replace(kept, blockers=(*kept.blockers, reason)) if reason else kept


def _doomed(
    source: Server, channel: ChannelStatus, transaction: Transaction, mark: LogPosition, conflicts: Conflicts
) -> str:
    reposition = _REPOSITION.format(at=channel.applied_to)
    if not channel.worker_errors:
        return (
            f"Workers have committed transactions up to {mark}, and the replica has failed once more in the gaps between "
            f"them. {_LOSES_TRACK} {reposition}"
        )
    begin = min((worker.checkpoint for worker in channel.workers), key=lambda at: at.order)
    try:
        behind = [t for t in source.transactions_from(begin, GAP_READ) if t.id.end <= mark]
    except ReplicationError as error:
        return f"Workers have committed transactions up to {mark}; which ones cannot be read: {error.message} {_LOSES_TRACK}"
    still = left_open(channel.workers, [t.id for t in behind])
    if still is None or transaction.id not in still:
        return (
            f"Which transactions workers have committed up to {mark} does not fit the source's binlog. {_LOSES_TRACK}"
        )
    failing = [t.id for t in behind if t.id in still and t.id != transaction.id and conflicts(t)]
    if failing:
        return (
            f"After {transaction.id}, {', '.join(map(str, failing[:5]))} would fail too, in the gaps between transactions that "
            f"workers have committed up to {mark}. {_LOSES_TRACK} {reposition}"
        )
    return ""
