"""The replica's own applier as the judge: the whole backlog rehearsed in one transaction that is rolled back.

What fails is what the server rejects, and nothing else: a batch that fails is divided until one transaction fails alone,
with the error that the applier would stop with. Then it is repaired inside the rehearsal, as ``resolve`` would, and the
rehearsal goes on. What cannot be rehearsed, and all that can depend on it, is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial

from replfix.core import sql
from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.ahead.forecast import Ahead, Forecast, Scanned, Unscanned
from replfix.core.conflicts.ahead.met import conflicts_met
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies.source_wins import not_rehearsable
from replfix.core.words import Advance
from replfix.errors import Busy, NoReplica, NotDone, Refused, RehearsalFailed, ReplicationError, Stale
from replfix.ports import BacklogRehearsal, Repair, Replica, Server
from replfix.workflow.apply.temporary_settings import writable
from replfix.workflow.forecast.batches import in_batches
from replfix.workflow.forecast.forecast_backlog import Bounds
from replfix.workflow.forecast.plan_in_rehearsal import Planner, read_once
from replfix.workflow.forecast.read_backlog import open_backlog
from replfix.workflow.forecast.read_to_prove import from_here, read_to_prove
from replfix.workflow.investigate.compare_rows import definitions_of
from replfix.workflow.investigate.errant.find_errant import channel_meant, errant
from replfix.workflow.investigate.errant.follow_errant import circle
from replfix.workflow.investigate.find_local_writes import local_writes, local_writes_by_server_id
from replfix.workflow.operation import IncidentLog, Operation
from replfix.workflow.recover.recovery import recover_first

PROVE = Bounds(max_rows=100_000, max_seconds=60.0, max_memory=256 << 20)
"""Where nobody says how far: it is one transaction, which has locks and undo from its beginning to its end."""
_NOTHING = "Nothing was changed."
_REHEARSING = "Rehearsing the backlog on the replica (everything is rolled back)"
_REPORTED_EVERY = 0.3  # seconds


def prove(operation: Operation, channel: str | None, bounds: Bounds) -> Forecast:
    """Return every conflict in the backlog of a channel whose applier is stopped, as the replica's server meets it.

    ``channel`` None: the first that an error stopped, else the first. NotDone where it cannot be rehearsed at all, and
    nothing was tried; Stale when the channel went on meanwhile. The replica is as before, whatever happens.
    """
    recover_first(operation, finish=False)
    meant = channel_meant(operation.replica.status(), channel)
    if meant is None:
        raise NoReplica(f"{operation.replica.address} has no replication channel.")
    with operation.replica.repair(meant.name) as repair:
        return _Proof(operation, repair, meant.name, bounds).found()


def _check(replica: Replica, channel: ChannelStatus) -> None:
    """Refuse what cannot be rehearsed, or would say nothing of what the applier does."""
    named = f"channel {channel.name!r}" if channel.name else "the channel"
    if channel.group_replication:
        raise Refused(f"Group Replication applies {named}: its backlog is not rehearsed.", _NOTHING)
    if channel.applier_running:
        raise NotDone(
            f"The applier of {named} runs: a rehearsal and the applier would wait for each other's locks.",
            f"{_NOTHING} STOP REPLICA SQL_THREAD stops it; without --prove the backlog of an applier that runs is read as well.",
        )
    found = replica.variables((*sql.EXEC_MODE, *sql.SKIP_ERRORS))
    for name, value in found.items():
        if value == "IDEMPOTENT" if name in sql.EXEC_MODE else value not in (None, "", "OFF"):
            raise Refused(
                f"{name} is {value} on the replica: its applier passes over errors that a rehearsal meets.", _NOTHING
            )


def _check_gaps(channel: ChannelStatus, *, by_gtid: bool) -> None:
    at = channel.applied_to
    if not by_gtid and at is not None and any(at < worker.committed_to for worker in channel.workers):
        raise Refused(
            "Workers have committed transactions out of order, and without GTIDs only the replica knows which: some would be "
            "rehearsed that are applied already.",
            f"{_NOTHING} START REPLICA UNTIL SQL_AFTER_MTS_GAPS closes the gaps.",
        )


def _check_still(replica: Replica, then: ChannelStatus, first: TransactionId) -> None:
    """Require that the backlog is the one that was rehearsed; Stale otherwise."""
    status = replica.status()
    channel = status.channel(then.name)
    if channel is None or channel.applier_running or status.has_applied(channel, first):
        raise Stale(
            "The channel went on while its backlog was rehearsed: what was found may not be ahead any more.",
            f"{_NOTHING} Run the command again while the applier is stopped.",
        )


class _Proof:
    """One rehearsal of a channel's backlog."""

    def __init__(self, operation: Operation, repair: Repair, channel: str, bounds: Bounds) -> None:
        self._operation = operation
        self._repair = repair
        self._name = channel
        self._bounds = bounds
        self._begun = operation.clock.now()
        self._replica = read_once(operation.replica)
        self._transactions: list[Transaction] = []
        self._ends: Unscanned | None = None
        self._at = 0  # all before this place were looked at
        self._not_executed: set[int] = set()  # places of those among them that were left out
        self._open: dict[TableName, Unscanned] = {}  # tables of which nothing is known from somewhere on
        self._obstacles: dict[int, str] = {}  # by the id of the transaction
        self._reported = self._begun - _REPORTED_EVERY
        self._conflicts: list[Ahead] = []
        self._tables: dict[TableName, Table] = {}

    def found(self) -> Forecast:
        operation, name = self._operation, self._name
        status = operation.replica.status()
        channel = status.channel(name)
        if channel is None:
            raise Stale(f"The replica has no channel {name!r} any more.", _NOTHING)
        _check(operation.replica, channel)
        fired = operation.replica.variables(sql.TRIGGERS_FOR_ROWS)  # what triggers write need not be rolled back
        self._fires_triggers = any(value not in (None, "NO") for value in fired.values())
        source = operation.source_of(channel)
        by_gtid = channel.auto_position or source.uuid() != channel.source_uuid
        _check_gaps(channel, by_gtid=by_gtid)
        backlog = open_backlog(operation.replica, operation.source_of, status, channel)
        operation.progress(f"Reading the backlog from {backlog.where}")
        found = read_to_prove(backlog, operation.clock, self._bounds)
        self._transactions, self._ends = found.transactions, found.ends
        if self._transactions:
            with (
                writable(IncidentLog(operation), status.server_uuid, name, self._repair),
                self._repair.rehearse_backlog() as rehearsal,
            ):
                self._rehearse(rehearsal, source, status, channel, by_gtid=by_gtid)
            _check_still(operation.replica, channel, self._transactions[0].id)
        ends = (self._ends,) if self._ends is not None else ()
        unscanned = (*backlog.unscanned, *self._open.values(), *ends)
        return Forecast(name, self._scanned(unscanned), self._tables, tuple(self._conflicts))

    def _scanned(self, unscanned: tuple[Unscanned, ...]) -> Scanned:
        executed = [one for at, one in enumerate(self._transactions[: self._at]) if at not in self._not_executed]
        return Scanned(
            transactions=len(executed),
            events=sum(len(events) for one in executed for events in one.raw.statements),
            rows=sum(len(one.changes) for one in executed),
            seconds=self._operation.clock.now() - self._begun,
            unscanned=unscanned,
        )

    def _rehearse(
        self,
        rehearsal: BacklogRehearsal,
        source: Server,
        status: ReplicaStatus,
        channel: ChannelStatus,
        *,
        by_gtid: bool,
    ) -> None:
        self._keep_what_fits(rehearsal)
        self._rehearsal, self._product = rehearsal, status.product
        self._planner = Planner(
            self._replica,
            source,
            circle(source, status, []),
            status,
            channel,
            self._transactions,
            rehearsal,
            cache(partial(self._own, source, status, channel)),
            by_gtid=by_gtid,
        )
        try:
            self._at = in_batches(
                self._transactions,
                rehearsal.run,
                takes=self._takes,
                left_out=self._left_out,
                failed=self._failed,
                goes_on=self._goes_on,
            )
        except Busy as reason:
            self._ends = from_here(self._transactions[self._at].id, reason.message)

    def _keep_what_fits(self, rehearsal: BacklogRehearsal) -> None:
        for place, one in enumerate(self._transactions):
            if not rehearsal.fits(one):
                why = "The source has written it in another form than the transactions before it: another version, or other checksums."
                self._ends = from_here(one.id, why)
                del self._transactions[place:]
                return

    def _own(self, source: Server, status: ReplicaStatus, channel: ChannelStatus) -> Sequence[Transaction]:
        """Return what was written on the replica and has not reached the source."""
        replica = self._operation.replica
        if status.gtid_mode == "OFF":
            return local_writes_by_server_id(replica, status.server_id, [])
        strays = errant(replica, status, channel, source, self._operation.source_of)
        return local_writes(replica, strays.every, [])

    # --- what in_batches asks ---

    def _goes_on(self, done: int) -> bool:
        self._at = done
        operation, bounds, now = self._operation, self._bounds, self._operation.clock.now()
        if now - self._reported >= _REPORTED_EVERY:
            operation.progress(Advance(_REHEARSING, done, len(self._transactions), "transactions"))
            self._reported = now
        if bounds.max_seconds is None or now - self._begun <= bounds.max_seconds:
            return True
        why = f"The rehearsal ended after {bounds.max_seconds:,.0f} s (--max-seconds)."
        self._ends = from_here(self._transactions[done].id, why)
        return False

    def _takes(self, transaction: Transaction) -> bool:
        return not any(name in self._open for name in transaction.column_names) and not self._obstacle(transaction)

    def _left_out(self, place: int) -> None:
        one = self._transactions[place]
        self._not_executed.add(place)
        self._leave_open(one, self._obstacle(one) or "It depends on transactions that were left out of the rehearsal.")

    def _failed(self, place: int, error: ApplierError) -> bool:
        try:
            planned = self._planner.plan(place, error)
        except ReplicationError as reason:  # something that it takes is not in a binary log, or not readable
            self._not_repaired(place, error, reason.message)
            return True
        evidence = planned.evidence
        assert evidence.reconciliation is not None
        assert evidence.transaction is not None
        ahead = conflicts_met(evidence.transaction, evidence.reconciliation.conflicts, error, evidence.tables)
        self._conflicts.extend(ahead)
        self._tables.update({each.conflict.table: evidence.tables[each.conflict.table] for each in ahead})
        why = planned.reason
        if planned.plan is not None:
            try:
                self._rehearsal.rehearse(planned.plan, evidence.transaction, evidence.tables)
                return True
            except (RehearsalFailed, Stale) as reason:
                why = reason.message
        self._not_repaired(place, error, why)
        return True

    # --- what is left out ---

    def _not_repaired(self, place: int, error: ApplierError, why: str) -> None:
        one = self._transactions[place]
        self._not_executed.add(place)
        number = f" with error {error.errno}" if error.errno else ""
        self._leave_open(one, f"{one.id} fails{number} ({error.message}) and needs a human: {why}")

    def _leave_open(self, transaction: Transaction, why: str) -> None:
        """Note that nothing is known of the transaction's tables any more, nor of those that foreign keys join with them."""
        waiting = list(transaction.column_names)
        while waiting:
            name = waiting.pop()
            if name in self._open:
                continue
            self._open[name] = Unscanned(str(name), why, name, transaction.id)
            table = self._replica.table(name)
            if table is not None:
                waiting += [key.parent for key in table.foreign_keys]
                waiting += [key.child for key in table.referenced_by]

    def _obstacle(self, transaction: Transaction) -> str:
        """Return why the transaction is not executed: what it does could not be rolled back, or the server not survive it."""
        known = id(transaction)
        if known not in self._obstacles:
            defined = definitions_of(self._replica, transaction)
            whys = (*defined.mismatches.values(), *map(self._not_rehearsed, defined.tables.values()))
            self._obstacles[known] = next(filter(None, whys), "")
        return self._obstacles[known]

    def _not_rehearsed(self, table: Table) -> str:
        if why := not_rehearsable(table):
            return why
        return self._replica.not_as_events(table) if table.triggers and self._fires_triggers else ""
