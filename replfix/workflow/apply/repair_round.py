"""One failing transaction: rehearse, record, apply, let the replica go on, look, record.

The order is the promise: nothing is written before its intent is durable in the trail, nothing is applied that the
replica has not rehearsed, and what is reported is what was looked at afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, suppress

from replfix.core import sql
from replfix.core.connection.privileges import WHETHER_MORE, for_an_administrator, lacking_behind_the_rehearsal
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.plan import Plan, on_source_document, to_document
from replfix.core.plan.staleness import redefined, redirected, replanned, staleness
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import (
    NotVerified,
    PrivilegeError,
    RehearsalFailed,
    ReplfixError,
    ReplicationError,
    Stale,
    UsageError,
)
from replfix.ports import Repair, Replica
from replfix.workflow.apply.apply_modes import executor_for
from replfix.workflow.apply.resume_applier import start_again
from replfix.workflow.apply.start_channel import Receiving
from replfix.workflow.apply.write_on_source import of_round
from replfix.workflow.investigate.investigation import investigate
from replfix.workflow.operation import IncidentLog, Operation, RoundProgress


def one_round(operation: Operation, story: IncidentLog, plan: Plan, dry_run: bool, came: RoundProgress) -> None:
    """Rehearse, apply, start, verify one plan. Raises NotDone when nothing was changed, NotVerified otherwise."""
    try:
        _attempt(operation, story, plan, dry_run, came)
    except (RehearsalFailed, Stale) as error:
        if came.audit_id is None:  # with an intent on record, its outcome tells
            payload: dict[str, object] = {"plan": to_document(plan), "digest": plan.digest, "reason": error.message}
            story.tell(RecordKind.REFUSED, plan.channel, payload)
        raise


def _attempt(operation: Operation, story: IncidentLog, plan: Plan, dry_run: bool, came: RoundProgress) -> None:
    with ExitStack() as shielded, operation.replica.repair(plan.channel) as repair:
        repair.check_skip_counter()
        _check_privileges(operation.replica)
        diagnosis = still_the_same(operation, plan)
        came.causes = tuple(cause.code for cause in diagnosis.causes)
        receiving = Receiving(operation, plan)
        past = executor_for(operation, story, plan, diagnosis, repair, receiving)

        def guard() -> None:
            _check_guards(operation.replica, plan, diagnosis, repair)

        operation.trail.check_room(*_to_record(diagnosis, plan))
        came.verb = past.verb
        on_source = of_round(operation, story, plan, diagnosis, came)
        try:
            on_source.rehearse()
            with past.prepared():
                past.rehearse()
                came.rehearsed = True
                if dry_run:
                    return
                # From here to a channel that runs, an interrupt waits: in between nothing is as anybody would want it.
                shielded.enter_context(operation.shield())
                came.audit_id = story.tell(RecordKind.INTENT, plan.channel, _intent(diagnosis, plan))
                receiving.bring()
                carry_out_guarded(past.carry_out, guard, came)
            past.go()
            past.verify()
            failed = on_source.write()
            came.left_stopped = start_again(
                operation, plan
            )  # also when it failed: the replica is past the transaction, and right
            if failed is not None:
                raise _not_on_source(failed, came)
            on_source.see()
            receiving.put_back()
        except BaseException as error:
            with suppress(ReplfixError):
                receiving.put_back()
            if came.audit_id is None:
                raise
            # What is done was not seen to its end: 'recover' looks how it stands, and starts a channel that waits there.
            unseen = not isinstance(error, NotVerified) or came.on_source is SourceWriteResult.UNKNOWN
            came.unknown |= came.applied and unseen
            story.end(plan, came.in_words, str(error), came.on_source)
            if not came.applied or isinstance(error, NotVerified) or not isinstance(error, ReplfixError):
                raise
            raise NotVerified(
                f"{past.done}; then: {error.message}",
                error.hint or "'replfix status' shows how the channel stands.",
            ) from None
        came.verified = True
        story.end(plan, came.in_words, "", came.on_source)


def _check_privileges(replica: Replica) -> None:
    """What is needed behind the rehearsal, before anything is written: PrivilegeError, with the GRANT."""
    status, granted = replica.status(), replica.granted()
    shut = bool(status.super_read_only)
    lacking = lacking_behind_the_rehearsal(granted, read_only=bool(status.read_only), super_read_only=shut)
    if lacking:
        actions = "; ".join(need.action for need in lacking)
        given = for_an_administrator(replica.address, granted.account, lacking, super_read_only=shut)
        raise PrivilegeError(
            f"The account {granted.account} may not do on {replica.address} what the whole way takes: {actions}. Nothing was changed.",
            f"{given} {WHETHER_MORE}",
        )


def carry_out_guarded(
    carry_out: Callable[[Callable[[], None]], None], check: Callable[[], None], came: RoundProgress
) -> None:
    """``carry_out`` with ``check`` last before it counts; ``came`` tells what is known of it, whatever is raised."""
    guarded = False

    def guard() -> None:
        nonlocal guarded
        check()
        guarded = True

    try:
        carry_out(guard)
    except BaseException as error:
        # COMMIT comes right after the guard: an interrupt there leaves open whether the server was told.
        came.unknown = isinstance(error, NotVerified) or (guarded and not isinstance(error, ReplfixError))
        came.applied = came.unknown
        raise
    came.applied = True


def plan_of(diagnosis: Diagnosis, strategy: str) -> tuple[Plan | None, str]:
    proposal = diagnosis.proposal(strategy)
    assert proposal is not None  # every strategy proposes or says why not
    return proposal.plan, f"{strategy} is not possible here: {proposal.reason}"


def still_the_same(operation: Operation, plan: Plan) -> Diagnosis:
    """A fresh diagnosis that leads to the very same plan, made while the channel is held."""
    try:
        diagnosis = investigate(operation.replica, operation.source_of, plan.channel, trail=operation.trail_to_read)
    except (ReplicationError, UsageError) as error:  # the second: there is no such channel any more
        raise Stale(f"The channel does not stand as it did: {error.message}", error.hint) from None
    fresh, why_not = plan_of(diagnosis, plan.strategy) if diagnosis else (None, "")
    changed = replanned(plan, fresh) if fresh is not None else why_not
    if diagnosis is None or fresh is None or changed:
        what = changed if fresh is None else f"the diagnosis now leads to another plan: {changed}"
        raise Stale(
            f"Something changed since the plan was shown: {what.rstrip('.') if diagnosis else 'the channel runs now'}.",
            "Nothing was changed. Run the command again to see how it stands now.",
        )
    return diagnosis


def _check_guards(replica: Replica, plan: Plan, then: Diagnosis, repair: Repair) -> None:
    """Last look before it counts, with the rows locked: still the same server, channel, source, error and tables."""
    repair.check_skip_counter()
    if changed := _changed(replica, plan, then.evidence):
        raise Stale(
            f"While the plan was carried out, things changed: {changed}.",
            "Nothing was changed: the repair was rolled back.",
        )


def replica_status(replica: Replica) -> ReplicaStatus:
    """Of a server that was a replica when the plan was made."""
    try:
        return replica.status()
    except ReplicationError as error:
        raise Stale(f"The channel does not stand as it did: {error.message}", error.hint) from None


def _changed(replica: Replica, plan: Plan, then: Evidence) -> str:
    status = replica_status(replica)
    return (
        staleness(plan, status)
        or redirected(then.channel, status.channel(plan.channel))
        or redefined(then.tables, {name: replica.table(name) for name in then.tables})
    )


def _intent(diagnosis: Diagnosis, plan: Plan) -> dict[str, object]:
    error = diagnosis.evidence.error
    return {
        "plan": to_document(plan),
        "digest": plan.digest,
        "error": {"errno": error.errno, "message": error.message},
        "causes": [
            {"code": c.code, "confidence": c.confidence.value, "evidence": list(c.evidence)} for c in diagnosis.causes
        ],
        "undo": [*sql.UNDO_SETTINGS, *undo] if (undo := [step.undo_sql for step in reversed(plan.steps)]) else [],
    }


def _to_record(diagnosis: Diagnosis, plan: Plan) -> tuple[dict[str, object], ...]:
    """What holds rows: the intent, and once more what is written on the source."""
    there = plan.on_source
    return (_intent(diagnosis, plan), *(() if there is None else (on_source_document(there),)))


def _not_on_source(failed: ReplfixError, came: RoundProgress) -> NotVerified:
    unknown = came.on_source is SourceWriteResult.UNKNOWN
    what = (
        "It is not known whether its part was written on the source" if unknown else "Nothing was written on the source"
    )
    kept = f"'replfix audit show {came.audit_id}' prints the displaced rows and the SQL for the source."
    return NotVerified(
        f"The replica has got past the transaction and stands as the source then did. {what}: {failed.message}",
        " ".join(filter(None, (failed.hint.removeprefix("Nothing was written on the source.").strip(), kept))),
    )
