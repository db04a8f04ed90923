"""The replica at work again: up to a transaction, past it, and a look at its rows in between."""

from __future__ import annotations

from replfix.core.conflicts.reconcile import FinalRows, final_rows, held_after_repairs, not_as_final, spare_rows
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.plan import Plan, covered
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, ReplicaStatus
from replfix.core.replication.start_threads import Threads, waits_for_nothing
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.rows.lookup import Lookup
from replfix.core.words import counted
from replfix.errors import NotVerified
from replfix.workflow.apply.start_channel import Receiving, start_applier, start_channel
from replfix.workflow.investigate.failing_transaction import in_question
from replfix.workflow.investigate.foreign_keys.find_counterparts import ChangesSince
from replfix.workflow.operation import Operation

UNTIL_SECONDS = 600.0
"""How long the applier may take for the failing transaction alone."""
SETTLE_SECONDS = 5.0
"""How long a channel with a backlog has to run without an error before it counts as running."""
WAITING_SECONDS = 3.0
"""How long an applier may wait for what no receiver brings before that is reported."""
RECORDING_SECONDS = 10.0
"""How long a server may take to record the GTID of a transaction that its applier's position is after."""
POLL_SECONDS = 0.1


def wait_until_stopped(
    operation: Operation, plan: Plan, *, or_applied: bool = False, mark: LogPosition | None = None
) -> ReplicaStatus:
    """Return the status once the applier has come to the end of an UNTIL, or to an error.

    With ``or_applied`` also when it got past the plan's transaction and runs on, with ``mark`` when it got there.
    """
    clock = operation.clock
    begun = waiting_since = clock.now()
    while True:
        status = operation.replica.status()
        channel = status.channel(plan.channel)
        if channel is None:
            raise NotVerified("The channel was removed while it was applying.", "Look at SHOW REPLICA STATUS.")
        there = mark is not None and channel.applied_to is not None and mark <= channel.applied_to
        applied = status.has_applied(channel, plan.last)
        if there or (or_applied and applied):
            return status
        if not channel.applier_running and (
            applied or not _records_its_gtid(channel, plan) or clock.now() - begun > RECORDING_SECONDS
        ):
            return status
        if not waits_for_nothing(channel, plan.last):
            waiting_since = clock.now()
        elif clock.now() - waiting_since > WAITING_SECONDS:
            raise NotVerified(*waits_in_words(channel, plan))
        if clock.now() - begun > UNTIL_SECONDS:
            raise NotVerified(
                f"The replica is still applying transactions up to {plan.last} after {UNTIL_SECONDS:.0f} s.",
                "It goes on by itself and then stops (UNTIL); START REPLICA lets it go on after that.",
            )
        clock.sleep(POLL_SECONDS)


def _records_its_gtid(channel: ChannelStatus, plan: Plan) -> bool:
    """Return whether the applier's position is after the transaction, without an error: its GTID follows in a moment (10.11.19)."""
    return channel.failure is None and channel.applied_to is not None and plan.last.end <= channel.applied_to


def let_it_apply(operation: Operation, plan: Plan, receiving: Receiving) -> ReplicaStatus:
    """Start the applier up to the end of the last transaction that the plan covers, and wait for it; return the status then."""
    before = operation.replica.status()
    stopped = before.channel(plan.channel)
    behind = stopped.committed_behind(plan.transaction) if stopped is not None else None
    both = receiving.runs_on
    receiving.runs_on = both or not operation.replica.stops_after(plan.last)
    if receiving.runs_on:
        operation.progress(f"Starting the channel: it cannot be told to stop after {plan.last}")
        if both:
            operation.replica.start(plan.channel, Threads.BOTH)
        elif refused := start_channel(operation, plan, before):
            raise NotVerified(f"The repair was applied, and the channel was not started. {refused}")
        wait_until_stopped(operation, plan, or_applied=True)
    elif behind is None:
        operation.progress(f"START REPLICA until {plan.last} is applied")
        start_applier(operation, plan, status=before, until=plan.last)
    else:
        operation.progress(
            f"START REPLICA until nothing is left open before {behind}, up to where workers have committed"
        )
        start_applier(operation, plan, status=before, gaps=True)
        if wait_until_stopped(operation, plan, mark=behind).applying(plan.channel):
            operation.replica.stop(
                plan.channel, Threads.APPLIER
            )  # at the end of the relay log it only ends with the next event (9.7.4)
    # An applier on its way to its UNTIL still runs for a moment: started then, it would stop all the same (9.7.4).
    status = wait_until_stopped(operation, plan, or_applied=receiving.runs_on)
    channel = status.channel(plan.channel)
    if channel is not None and status.has_applied(channel, plan.last):
        return status
    error = channel.failure if channel else None
    if behind is not None:
        raise NotVerified(
            f"The replica failed again before {behind}, up to where workers have committed: without GTIDs it loses track of "
            f"what is committed. {error.message if error else ''}",
            "Do not start the channel. 'replfix diagnose' says what helps.",
        )
    if channel is not None and error is not None and error.or_gtids:
        source = operation.source_of(channel)
        error = in_question(operation.replica, source, channel, error, channel.auto_position)
    if error is not None and error.transaction is not None and not plan.transaction.failed_with(error):
        if plan.run is not None:
            raise NotVerified(
                f"The repair was applied. Among {plan.covers}, the replica stopped on {error.transaction}: {error.message}",
                "The displaced rows are in the audit trail. Run the command again: it goes on with that one.",
            )
        raise NotVerified(
            f"The repair was applied. Before the replica got to {plan.transaction}, it stopped on another transaction, which it applies in parallel: "
            f"{error.message}",
            "The displaced rows are in the audit trail. Run the command again: it goes on with that one, and the replica then applies both.",
        )
    raise NotVerified(
        f"The repair was applied, but the replica did not get past {plan.last}: "
        + (error.message if error else "the applier was stopped."),
        "The displaced rows are in the audit trail. Run 'replfix diagnose' to see the channel's state.",
    )


def waits_in_words(channel: ChannelStatus, plan: Plan) -> tuple[str, str]:
    """Return what an applier waits for that has read all of the relay log, and what to do."""
    what = f"The applier waits: it has read all of the relay log, {plan.last} is not whole in it, and"
    error = f" Error {channel.receiver_errno}: {channel.receiver_message}" if channel.receiver_errno else ""
    if channel.receiver is ReceiverState.CONNECTING:
        return (
            f"{what} the receiver cannot connect to the source.{error}",
            "When the source can be reached, the applier continues by itself and stops after that transaction. Then 'replfix recover' "
            "verifies it and starts the channel.",
        )
    return (
        f"{what} the receiver is stopped.{error}",
        "It does not go on by itself. START REPLICA IO_THREAD; when the receiver runs, 'replfix recover' verifies the transaction and "
        "starts the channel.",
    )


def verify(
    operation: Operation, diagnosis: Diagnosis, receiving: Receiving, status: ReplicaStatus | None = None
) -> None:
    """Read every row that the transaction touched from the replica, and compare it with the event.

    NotVerified where they differ. ``status``: the replica's, where it was read just now.
    """
    transaction, tables = diagnosis.evidence.transaction, diagnosis.evidence.tables
    assert transaction is not None
    found = diagnosis.evidence.reconciliation
    assert found is not None
    final = final_rows(transaction.changes, tables)
    running = (status or operation.replica.status()).applying(diagnosis.evidence.channel.name)
    if running or receiving.runs_on:  # the next conflict may have stopped it since
        later = _touched_later(operation, diagnosis)
        final = FinalRows(row for row in final if row.lookup not in later)
    operation.progress(f"Verifying {counted(len(final), 'row')} on the replica against the event")
    find = operation.replica.find_uncommitted if transaction.prepared else operation.replica.find
    answers = find(tables, tuple(row.lookup for row in final))
    spare = spare_rows(transaction.changes, tables, held_after_repairs(found, tables))
    wrong = not_as_final(final, tables, answers, spare)
    if wrong:
        raise NotVerified(
            f"{covered(transaction.id, transaction.run)} {'was' if transaction.run is None else 'were'} applied, but the replica's rows are not what it says: {'; '.join(wrong[:3])}.",
            f"{_left(running=running, ran_on=receiving.runs_on)} Displaced rows are in the audit trail.",
        )


def _left(*, running: bool, ran_on: bool) -> str:
    if running:
        return "The channel runs on."
    return "The channel has stopped again." if ran_on else "The channel was left stopped after this transaction."


def _touched_later(operation: Operation, diagnosis: Diagnosis) -> set[Lookup]:
    """Return the rows that later transactions of the source change.

    On a channel that runs, or ran, they need not be as this one left them.
    """
    evidence = diagnosis.evidence
    assert evidence.transaction is not None
    source = operation.source_of(evidence.channel)
    by_gtid = evidence.channel.auto_position
    changes = ChangesSince(source, evidence.transaction, evidence.status.executed, by_gtid, evidence.tables, [])
    return {row.lookup for row in final_rows(tuple(changes.behind()), evidence.tables)}


def start_again(operation: Operation, plan: Plan) -> str:
    """START REPLICA, then watch until it has caught up, fails again, or has run for a while.

    Returns in words why it was not started; empty when it was. A receiver that somebody stopped, before or while the
    plan was carried out, stays stopped.
    """
    replica, clock = operation.replica, operation.clock
    status = replica.status()
    if not status.applying(plan.channel) and (refused := start_channel(operation, plan, status)):
        return refused
    target: GtidSet | None = None
    deadline = clock.now() + SETTLE_SECONDS
    while clock.now() < deadline:
        status = replica.status()
        channel = status.channel(plan.channel)
        if channel is None or not channel.applier_running:
            return ""  # the next round's diagnosis says why
        if plan.transaction.gtid is not None:
            target = target or channel.retrieved
        if channel.caught_up if target is None else target <= status.executed:
            return ""
        clock.sleep(POLL_SECONDS)
    return ""
