"""Transactions before the failing one that were not committed when the workers stopped: the replica applies them first.

Nothing is repaired for that, but in between the channel is stopped without an error, and nobody could know why: it is
recorded before.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from replfix.core.plan.interrupted_repair import Found, gap_found
from replfix.core.plan.plan import Plan, to_document
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.core.trail.audit_record import RecordKind
from replfix.core.trail.intent_result import IntentResult
from replfix.errors import NotDone, NotVerified, PrivilegeError, ReplfixError, ServerError
from replfix.workflow.apply.repair_round import replica_status, still_the_same
from replfix.workflow.apply.resume_applier import wait_until_stopped
from replfix.workflow.apply.start_channel import feed_applier, start_applier
from replfix.workflow.operation import IncidentLog, Operation

_NO_CHANNEL = Found(IntentResult.UNEXPLAINED, "The replica has no such channel any more.")


def close_gap(operation: Operation, log: IncidentLog, plan: Plan) -> bool:
    """Let the replica apply what comes before the failing transaction; return whether there was anything.

    If there was, the channel's state has to be read anew. NotVerified once it was started.
    """
    status = replica_status(operation.replica)
    channel = status.channel(plan.channel)
    gap = status.waiting_before(channel, plan.transaction) if channel is not None else None
    if channel is None or not gap or channel.committed_behind(plan.transaction) is not None:
        return False  # with committed ones after it, the replica has one start only: see committed_behind
    with operation.replica.repair(plan.channel) as repair:
        repair.check_skip_counter()
        still_the_same(operation, plan)
        with operation.shield():
            log.append(RecordKind.INTENT, plan.channel, _intent(plan, gap))
            operation.progress(f"START REPLICA until {plan.transaction}: {gap} come before it and are not applied yet")
            _carry_out(operation, log, replace(plan, run=None))
    return True


def _carry_out(operation: Operation, log: IncidentLog, plan: Plan) -> None:
    started = False
    try:
        start_applier(operation, plan, before=plan.transaction)
        started = True
        status = _meet_again(operation, plan)
    except BaseException as error:
        refused = not started and isinstance(error, NotDone | PrivilegeError | ServerError)
        with suppress(NotVerified):  # the intent stays open then, too
            log.end(plan, IntentResult.NOT_CAUGHT_UP if refused else IntentResult.UNKNOWN, str(error))
        if refused or not isinstance(error, ReplfixError) or isinstance(error, NotVerified):
            raise
        raise NotVerified(
            f"While the replica was to apply what comes before {plan.transaction}: {error.message}",
            "'replfix recover' looks at both servers and finishes that.",
        ) from None
    found = _found(status, plan)
    log.end(plan, found.result, found.how)


def end_gap(operation: Operation, plan: Plan, *, finish: bool) -> tuple[Found, str] | None:
    """Return what became of what an interrupted run had begun, and what was done about it, in words.

    None: it stays open, because without ``finish`` nothing is started.
    """
    status = replica_status(operation.replica)
    channel = status.channel(plan.channel)
    done = ""
    if channel is not None and channel.applier_running and channel.has_end:
        feed_applier(operation, plan, channel)
        status = wait_until_stopped(operation, plan)
    if _stands_before(status, plan):
        if not finish:
            return None
        status = _meet_again(operation, plan)
        done = "The channel was started, so that it meets that transaction again."
    return _found(status, plan), done


def _meet_again(operation: Operation, plan: Plan) -> ReplicaStatus:
    """Let the applier meet the transaction again: an UNTIL that was reached leaves no error (9.7.4)."""
    status = wait_until_stopped(operation, plan)
    if _stands_before(status, plan):
        start_applier(operation, plan)
        status = wait_until_stopped(operation, plan, or_applied=True)
    return status


def _stands_before(status: ReplicaStatus, plan: Plan) -> bool:
    channel = status.channel(plan.channel)
    return (
        channel is not None
        and channel.has_end
        and not channel.applier_running
        and channel.failure is None
        and not status.has_applied(channel, plan.transaction)
        and not status.waiting_before(channel, plan.transaction)
    )


def _found(status: ReplicaStatus, plan: Plan) -> Found:
    channel = status.channel(plan.channel)
    if channel is None:
        return _NO_CHANNEL
    running = channel.applier_running  # then it is past it, or is about to meet it
    return gap_found(plan, "" if running else status.waiting_before(channel, plan.transaction))


def _intent(plan: Plan, gap: str) -> dict[str, object]:
    start = Plan(
        plan.strategy, plan.server_uuid, plan.channel, plan.transaction, plan.errno, steps=(), guards=(), risks=()
    )
    return {"plan": to_document(start), "digest": plan.digest, "gap": gap}
