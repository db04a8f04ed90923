"""Threads of a channel started as the table of ``core/replication/start_threads.py`` says. Nothing else in replfix starts one."""

from __future__ import annotations

from collections.abc import Callable

from replfix.core.plan.plan import Plan
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, RelayLog, ReplicaStatus
from replfix.core.replication.start_threads import Act, Receiver, Situation, Threads, receiver_of, situation
from replfix.core.replication.transaction_id import TransactionId
from replfix.errors import NotDone, NotVerified, Refused, Stale
from replfix.workflow.investigate.source.check_relay_source import source_holds
from replfix.workflow.operation import Operation

CONNECT_SECONDS = 30.0
"""How long a receiver that was started may take to connect."""
FETCH_SECONDS = 600.0
"""How long it may take to fetch what the applier needs, or what the relay log contained before."""
POLL_SECONDS = 0.1


def of_channel(
    operation: Operation,
    status: ReplicaStatus,
    channel: ChannelStatus,
    transaction: TransactionId | None,
    *,
    until: bool,
    from_source: bool = False,
) -> Situation:
    """Return what a start of the channel needs. The source is asked only where the answer depends on it."""
    found = situation(channel, transaction, until=until, from_source=from_source)
    if not found.depends_on_source:
        return found
    held = source_holds(operation.source_of, status, channel, transaction)
    return situation(channel, transaction, until=until, from_source=from_source, source=held)


class Receiving:
    """The receiver during one round: started first where the plan says so, and stopped again in the end."""

    def __init__(self, operation: Operation, plan: Plan) -> None:
        self._operation = operation
        self._plan = plan
        self._had: GtidSet | None = None  # what the relay log of a receiver that is to be stopped again contained
        self.runs_on = False  # it is not stopped after the transaction: the applier must not be started twice, or cannot be made to stop there

    def bring(self) -> None:
        """Start the receiver where the plan says so, before anything is changed.

        NotDone when the receiver does not connect or does not get there: it is stopped again.
        """
        operation, plan = self._operation, self._plan
        if plan.receiver is None:
            return
        replica = operation.replica
        status = replica.status()
        channel = _channel(status, plan)
        found = of_channel(operation, status, channel, plan.last, until=True, from_source=plan.on_source is not None)
        if found.receiver_first != plan.receiver:
            why = found.refusal or "The receiver is not as it was when the plan was made."
            raise Stale(why, "Nothing was changed. Run the command again to see how it is now.")
        if not replica.starts_receiver_alone():
            self.runs_on = True
            return
        self._had = channel.retrieved if plan.receiver.put_back else None
        self.runs_on = channel.relay_log is RelayLog.REPLACED
        try:
            _start_receiver(operation, plan, found)
            fetched(operation, plan.channel, lambda now, _: now.holds_whole(plan.last) is not False)
        except BaseException:
            self.put_back()
            raise

    def put_back(self) -> None:
        """Stop a receiver that was stopped before, once it has fetched again what the relay log contained then."""
        had, self._had = self._had, None
        if had is None:
            return
        try:
            fetched(self._operation, self._plan.channel, lambda now, executed: had <= now.retrieved | executed)
        except NotDone as error:
            if receiver_of(_channel(self._operation.replica.status(), self._plan)) is Receiver.RUNNING:
                self._operation.progress(f"The receiver is left running: {error.message}")
                return
        self._operation.progress("Stopping the receiver again, as it was before")
        self._operation.replica.stop(self._plan.channel, Threads.RECEIVER)


def _channel(status: ReplicaStatus, plan: Plan) -> ChannelStatus:
    channel = status.channel(plan.channel)
    if channel is None:
        raise Stale("The replica has no such channel any more.", "Nothing was changed.")
    return channel


def _start_receiver(operation: Operation, plan: Plan, found: Situation) -> None:
    again = found.act is Act.FETCH_AGAIN
    operation.progress(f"Starting the receiver{': it fetches the relay log again' if again else ''}")
    if again:
        operation.replica.stop(plan.channel, Threads.BOTH)
    operation.replica.start(plan.channel, Threads.RECEIVER)


def fetched(operation: Operation, name: str, enough: Callable[[ChannelStatus, GtidSet], bool]) -> None:
    """Wait until a receiver is connected and has fetched enough, by the channel and what the replica has executed.

    NotDone when it stops, does not connect, or is too slow.
    """
    clock = operation.clock
    begun = clock.now()
    while True:
        status = operation.replica.status()
        channel = status.channel(name)
        if channel is None:
            raise NotDone("The replica has no such channel any more.", "No row was changed.")
        connected, waited = channel.receiver is ReceiverState.RUNNING, clock.now() - begun
        if connected and enough(channel, status.executed):
            return
        late = waited > (FETCH_SECONDS if connected else CONNECT_SECONDS)
        if late or channel.receiver is ReceiverState.STOPPED:
            said = f" Error {channel.receiver_errno}: {channel.receiver_message}" if channel.receiver_errno else ""
            what = f"has not fetched all in {waited:.0f} s" if connected else "does not connect to the source"
            raise NotDone(
                f"The receiver was started, and {what}.{said}",
                "No row was changed. Start the receiver and see that it runs; then run the command again.",
            )
        clock.sleep(POLL_SECONDS)


def feed_applier(operation: Operation, plan: Plan, channel: ChannelStatus) -> None:
    """Start the receiver of an applier that waits for it without end; no server deletes a relay log that is being applied."""
    if not channel.applier_running or not channel.all_read or channel.holds_whole(plan.last):
        return
    if channel.receiver is ReceiverState.STOPPED and operation.replica.starts_receiver_alone():
        operation.progress("Starting the receiver: the applier waits for what it has not fetched")
        operation.replica.start(plan.channel, Threads.RECEIVER)


def start_applier(
    operation: Operation,
    plan: Plan,
    *,
    status: ReplicaStatus | None = None,
    until: TransactionId | None = None,
    before: TransactionId | None = None,
    gaps: bool = False,
) -> None:
    """Start the applier up to some end. Refused when the table says so: nothing was started.

    ``status``: the replica's, where it was read just now.
    """
    status = status or operation.replica.status()
    channel = status.channel(plan.channel)
    if channel is None:
        raise NotVerified("The channel was removed while it was applying.", "Look at SHOW REPLICA STATUS.")
    found = of_channel(operation, status, channel, plan.last if until else None, until=True)
    if found.act not in (Act.APPLIER, Act.CHANNEL):
        raise Refused(found.refusal or found.warning, "The applier was not started.")
    threads = Threads.APPLIER if found.act is Act.APPLIER else Threads.BOTH
    operation.replica.start(plan.channel, threads, until=until, before=before, gaps=gaps)


def start_channel(operation: Operation, plan: Plan, status: ReplicaStatus) -> str:
    """Start the channel without an end. Return in words why it was not started; empty when it was.

    ``status``: the replica's, of this moment.
    """
    replica = operation.replica
    channel = status.channel(plan.channel)
    if channel is None:
        return ""  # the next round's diagnosis says why
    found = of_channel(operation, status, channel, None, until=False)
    if found.act is Act.FETCH_AGAIN and replica.starts_receiver_alone():
        had = channel.retrieved
        _start_receiver(operation, plan, found)
        try:
            fetched(operation, plan.channel, lambda now, executed: had <= now.retrieved | executed)
        except NotDone as error:
            return error.message
    elif found.act is Act.APPLIER:
        operation.progress("The receiver was stopped by hand: only the applier is started")
    elif found.refusal:
        return found.refusal
    operation.progress("START REPLICA")
    replica.start(plan.channel, Threads.APPLIER if found.act is Act.APPLIER else Threads.BOTH)
    if found.receiver_first is not None and found.receiver_first.put_back:
        operation.progress("Stopping the receiver again, as it was before")
        replica.stop(plan.channel, Threads.RECEIVER)
    return ""
