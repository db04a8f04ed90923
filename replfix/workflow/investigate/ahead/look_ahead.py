"""The conflicts that wait after the failing transaction, planned together with its own.

The transactions that follow it in the source's binlog are read as far as they are plain rows of tables that fit. Together they
are one transaction to the planner: what has to be on the replica before the first one starts so that the applier gets through the
last. Nothing is planned together that a single transaction's plan treats specially: the run ends before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from replfix.core.binlog.joined_run import RunBuilder, joined, members_of
from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.reconcile import ConflictKind, Reconciliation
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import ApplyMode, Plan
from replfix.core.replication.replica_status import ReceiverState, RelayLog
from replfix.core.replication.transaction_id import TransactionId, TransactionRun
from replfix.core.schema.filters import NO_FILTERS
from replfix.core.strategies import source_wins
from replfix.core.words import Advance, counted
from replfix.errors import ReplfixError, ReplicationError
from replfix.ports import Progress, Replica, Server, SourceOf, TrailToRead
from replfix.workflow.investigate.compare_rows import compare, definitions_of
from replfix.workflow.investigate.investigation import investigate

MOST_TRANSACTIONS = 50_000
MOST_CHANGES = 100_000
MOST_BYTES = 1 << 26
"""Of their events. So far one run reaches at most: the next round goes on from there."""
MOST_CONFLICTS = 5_000
"""The plan's steps are one transaction, and its intent is one record."""
FIRST_LOOK = 500
"""Changes after which the replica is asked for the first time; then each time that there are twice as many."""
QUIET_CHANGES = 10_000
"""So many changes without a conflict, and nobody reads on: a single conflict does not wait for the whole backlog."""


@dataclass(frozen=True, slots=True)
class LookedAhead:
    """A plan for more than the failing transaction, and the diagnosis that it rests on."""

    diagnosis: Diagnosis
    plan: Plan

    @property
    def in_words(self) -> str:
        """How many conflicts it is about, in which transactions."""
        found = self.diagnosis.evidence.reconciliation
        return f"{counted(len(found.conflicts) if found is not None else 0, 'conflict')} in {self.plan.covers}"


def look_ahead(
    replica: Replica,
    source_of: SourceOf,
    diagnosis: Diagnosis,
    plan: Plan,
    *,
    most: int = MOST_TRANSACTIONS,
    progress: Progress = lambda _: None,
    trail: TrailToRead | None = None,
) -> LookedAhead | None:
    """Return the plan for the failing transaction and those after it, as far as the last that would stop the applier.

    None where none of the next ones would, or where nothing can be planned together: then ``plan``, which is for the
    failing transaction alone, is the one. ``most``: how many transactions.
    """
    if most < 2 or not _may_look_ahead(replica, diagnosis.evidence, plan):
        return None
    channel = plan.channel

    def together(run: TransactionRun) -> LookedAhead | None:
        found = investigate(replica, source_of, channel, progress, trail, run=run)
        return None if found is None else _planned(found)

    try:
        ids = _Search(replica, source_of(diagnosis.evidence.channel), diagnosis.evidence, progress).up_to_the_last(most)
        return _longest(ids, together) if len(ids) > 1 else None
    except ReplfixError as error:
        progress(f"Not looking ahead: {error.message}")
        return None


def _longest(
    ids: tuple[TransactionId, ...], together: Callable[[TransactionRun], LookedAhead | None]
) -> LookedAhead | None:
    """Return the plan for all of them, or for as many from the first on as can be planned together."""
    best, fewest, most = None, 1, len(ids) + 1
    length = len(ids)
    while most - fewest > 1:
        found = together(TransactionRun(ids[length - 1], length))
        if found is None:
            most = length
        else:
            best, fewest = found, length
        length = (fewest + most) // 2
    return best


def _planned(diagnosis: Diagnosis) -> LookedAhead | None:
    proposal = diagnosis.recommended  # none where rows of another source are in the way
    plan = proposal.plan if proposal is not None else None
    if plan is None or not _plain(plan, diagnosis.evidence):
        return None
    return LookedAhead(diagnosis, plan)


def _plain(plan: Plan, evidence: Evidence) -> bool:
    """Return whether the plan brings rows to what is expected, and does nothing else that has to be thought of."""
    found = evidence.reconciliation
    return (
        plan.strategy == source_wins.NAME
        and plan.way is ApplyMode.APPLY
        and bool(plan.steps)
        and plan.receiver is None
        and not plan.by_name_only
        and not evidence.swaps
        and found is not None
        and _ordinary(found)
    )


def _ordinary(found: Reconciliation) -> bool:
    """Return whether no row depends on a foreign key, or on columns that were not logged."""
    families = found.replaced or found.kept or found.cascade_effects or found.orphans
    in_part = found.whole or found.in_part or found.made_up or found.overwritten
    return not (families or in_part or found.again or any(c.foreign_key for c in found.conflicts))


def _may_look_ahead(replica: Replica, evidence: Evidence, plan: Plan) -> bool:
    """Return whether the source's log shows what the applier does next, and the applier can be made to stop after it."""
    channel, transaction = evidence.channel, evidence.transaction
    return (
        transaction is not None
        and _plain(plan, evidence)
        and evidence.unreachable is None
        and not evidence.circle
        and not evidence.error.or_gtids
        and bool(channel.source_uuid)
        and evidence.source_uuid == channel.source_uuid
        and channel.receiver is ReceiverState.RUNNING
        and channel.relay_log is not RelayLog.REPLACED
        and not (channel.ignored_server_ids or channel.ignored_domains or channel.only_domains)
        and channel.filters == NO_FILTERS
        and not channel.group_replication
        and not channel.delay_seconds
        and channel.committed_behind(transaction.id) is None
        and not evidence.status.waiting_before(channel, transaction.id)
        and replica.stops_after(transaction.id)
    )


class _Search:
    """Reads on after the failing transaction, and compares what was read with the replica's rows from time to time."""

    def __init__(self, replica: Replica, source: Server, evidence: Evidence, progress: Progress) -> None:
        assert evidence.transaction is not None
        self._replica = replica
        self._source = source
        self._evidence = evidence
        self._progress = progress
        self._first = evidence.transaction.logged or evidence.transaction

    def up_to_the_last(self, most: int) -> tuple[TransactionId, ...]:
        """Return the failing transaction and those after it, up to the last that would stop the applier too."""
        built, size, look_at = RunBuilder(self._first), 0, FIRST_LOOK
        last = looked = 0
        for transaction in self._following(min(most, MOST_TRANSACTIONS)):
            size += sum(len(event) for events in transaction.raw.statements for event in events)
            if size > MOST_BYTES or built.changes + len(transaction.changes) > MOST_CHANGES or built.take(transaction):
                break
            if built.changes >= look_at:
                last, fits = self._last_conflict(built)
                looked, look_at = len(built.transactions), built.changes * 2
                quiet = sum(len(each.changes) for each in built.transactions[last + 1 :]) > QUIET_CHANGES
                if quiet or not fits:
                    break
        if 1 < len(built.transactions) != looked:
            last, _ = self._last_conflict(built)
        return tuple(each.id for each in built.transactions[: last + 1])

    def _following(self, most: int) -> Iterator[Transaction]:
        """Yield the transactions after the failing one that the applier takes next, as far as they can be read."""
        read = iter(self._source.transactions_from(self._first.id.start, most))
        try:
            for number, transaction in enumerate(read):
                if number == 0:
                    if transaction.id != self._first.id:
                        return  # it was read elsewhere, and positions there are others
                    continue
                if self._elsewhere(transaction):
                    return
                yield transaction
        except ReplicationError:
            return  # as far as it can be read

    def _elsewhere(self, transaction: Transaction) -> bool:
        """Return whether the applier of this channel does not take the transaction after those before it."""
        status = self._evidence.status
        if transaction.server_id == status.server_id:
            return True  # its own, come back
        if transaction.gtid is None:
            return False
        if status.product == "MariaDB" and _domain(transaction) != _domain(self._first):
            return True
        return transaction.gtid in status.executed

    def _last_conflict(self, built: RunBuilder) -> tuple[int, bool]:
        """Return the number of the last transaction that would stop the applier, 0 for the failing one.

        And whether all of them fit to the replica's tables: those from the first that does not are left out.
        """
        self._progress(Advance("Looking ahead", built.changes, None, "rows of the backlog"))
        fitting = built.transactions
        defined = definitions_of(self._replica, joined(fitting))
        if defined.mismatches:
            unfit = (n for n, each in enumerate(fitting) if not defined.mismatches.keys().isdisjoint(each.column_names))
            fitting = fitting[: next(unfit, 1)]
            defined = definitions_of(self._replica, joined(fitting))
        found, _ = compare(self._replica, defined.transaction, defined.tables)
        stops = [conflict.change for conflict in found.conflicts if conflict.kind is not ConflictKind.DIFFERENT]
        last = max(members_of(defined.transaction, sorted(stops)[:MOST_CONFLICTS]), default=0)
        return last, len(fitting) == len(built.transactions)


def _domain(transaction: Transaction) -> str:
    return (transaction.gtid or "").partition("-")[0]
