"""One failing transaction, in the stages of ``execution.REPAIR``."""

from __future__ import annotations

from contextlib import AbstractContextManager, suppress

from replfix.core import sql
from replfix.core.connection.privileges import WHETHER_MORE, for_an_administrator, lacking_behind_the_rehearsal
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.plan import Plan, on_source_document, to_document
from replfix.core.plan.staleness import redefined, redirected, replanned, staleness
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.core.trail.audit_record import RecordKind
from replfix.core.trail.intent_result import IntentResult
from replfix.errors import (
    NotVerified,
    PrivilegeError,
    RehearsalFailed,
    ReplfixError,
    ReplicationError,
    Stale,
    UsageError,
)
from replfix.one_look import one_look
from replfix.ports import Repair, Replica
from replfix.workflow.apply.apply_modes import executor_for
from replfix.workflow.apply.execution import REPAIR, Stage, after_the_commit, commit_guarded, execute
from replfix.workflow.apply.resume_applier import start_again
from replfix.workflow.apply.start_channel import Receiving
from replfix.workflow.apply.write_on_source import of_round
from replfix.workflow.investigate.investigation import investigate
from replfix.workflow.operation import IncidentLog, Operation, RoundProgress


def one_round(operation: Operation, log: IncidentLog, plan: Plan, dry_run: bool, progress: RoundProgress) -> None:
    """Rehearse, apply, start, verify one plan. Raises NotDone when nothing was changed, NotVerified otherwise."""
    try:
        with operation.replica.repair(plan.channel) as repair:
            execute(operation, log, _RepairRound(operation, log, plan, repair, progress), progress, dry_run=dry_run)
    except (RehearsalFailed, Stale) as error:
        if progress.audit_id is None:  # with an intent on record, its outcome has it
            payload: dict[str, object] = {"plan": to_document(plan), "digest": plan.digest, "reason": error.message}
            log.append(RecordKind.REFUSED, plan.channel, payload)
        raise


class _RepairRound:
    """One failing transaction, from the plan that was shown to a channel that runs."""

    stages = REPAIR
    undoes = None

    def __init__(
        self, operation: Operation, log: IncidentLog, plan: Plan, repair: Repair, progress: RoundProgress
    ) -> None:
        self.plan = plan
        self._operation = operation
        self._log = log
        self._repair = repair
        self._progress = progress
        self._receiving = Receiving(operation, plan)
        self._source_failed: ReplfixError | None = None
        self.steps = {
            Stage.CHECK: self._check,
            Stage.REHEARSE_ON_SOURCE: lambda: self._on_source.rehearse(),
            Stage.REHEARSE: lambda: self._executor.rehearse(),
            Stage.APPLY: self._apply,
            Stage.GET_PAST: lambda: self._executor.get_past(),
            Stage.VERIFY: lambda: self._executor.verify(),
            Stage.WRITE_ON_SOURCE: self._write_on_source,
            Stage.START: self._start,
            Stage.CONFIRM: self._confirm,
        }

    def _check(self) -> None:
        operation, plan, progress = self._operation, self.plan, self._progress
        self._repair.check_skip_counter()
        with one_look(whole=True, again=True):
            _check_privileges(operation.replica)
            self._diagnosis = still_the_same(operation, plan)
        progress.causes = tuple(cause.code for cause in self._diagnosis.causes)
        progress.leaves_out = plan.way.leaves_out
        self._executor = executor_for(operation, self._log, plan, self._diagnosis, self._repair, self._receiving)
        operation.trail.check_room(*_to_record(self._diagnosis, plan))
        self._on_source = of_round(operation, self._log, plan, self._diagnosis, progress)

    @property
    def done(self) -> str:
        return self._executor.done

    def settings(self) -> AbstractContextManager[None]:
        return self._executor.prepared()

    def intent(self) -> dict[str, object]:
        return _intent(self._diagnosis, self.plan)

    def _apply(self) -> None:
        self._receiving.bring()
        commit_guarded(self._executor.carry_out, self._check_guards, self._progress)

    def _check_guards(self) -> None:
        _check_guards(self._operation.replica, self.plan, self._diagnosis, self._repair)

    def _write_on_source(self) -> None:
        self._source_failed = self._on_source.write()

    def _start(self) -> None:
        """Start the channel, also when the source's part failed: the replica is past the transaction, and right."""
        self._progress.left_stopped = start_again(self._operation, self.plan)
        if self._source_failed is not None:
            raise _not_on_source(self._source_failed, self._progress)

    def _confirm(self) -> None:
        self._on_source.see()
        self._receiving.put_back()

    def result(self) -> IntentResult:
        return self._progress.result

    def interrupted(self, error: BaseException) -> BaseException:
        progress = self._progress
        with suppress(ReplfixError):
            self._receiving.put_back()
        # What is done was not seen to its end: 'recover' finds out, and starts a channel that waits there.
        unseen = not isinstance(error, NotVerified) or progress.on_source is SourceWriteResult.UNKNOWN
        progress.unknown |= progress.applied and unseen
        return after_the_commit(error, self.done) if progress.applied else error


def _check_privileges(replica: Replica) -> None:
    """Check what is needed after the rehearsal, before anything is written: PrivilegeError, with the GRANT."""
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


def plan_of(diagnosis: Diagnosis, strategy: str) -> tuple[Plan | None, str]:
    """Return the plan of that strategy, None for none, and the sentence that says why it is not possible here."""
    proposal = diagnosis.proposal(strategy)
    assert proposal is not None  # every strategy proposes or says why not
    return proposal.plan, f"{strategy} is not possible here: {proposal.reason}"


def still_the_same(operation: Operation, plan: Plan) -> Diagnosis:
    """Return a fresh diagnosis, made while the channel's lock is held. Stale when it leads to another plan."""
    try:
        diagnosis = investigate(
            operation.replica, operation.source_of, plan.channel, trail=operation.trail_to_read, run=plan.run
        )
    except (ReplicationError, UsageError) as error:  # the second: there is no such channel any more
        raise Stale(f"The channel is not as it was: {error.message}", error.hint) from None
    fresh, why_not = plan_of(diagnosis, plan.strategy) if diagnosis else (None, "")
    changed = replanned(plan, fresh) if fresh is not None else why_not
    if diagnosis is None or fresh is None or changed:
        what = changed if fresh is None else f"the diagnosis now leads to another plan: {changed}"
        raise Stale(
            f"Something changed since the plan was shown: {what.rstrip('.') if diagnosis else 'the channel runs now'}.",
            "Nothing was changed. Run the command again to see the state of now.",
        )
    return diagnosis


def _check_guards(replica: Replica, plan: Plan, then: Diagnosis, repair: Repair) -> None:
    """Look once more before it counts, with the rows locked: still the same server, channel, source, error and tables."""
    repair.check_skip_counter()
    if changed := _changed(replica, plan, then.evidence):
        raise Stale(
            f"While the plan was carried out, things changed: {changed}.",
            "Nothing was changed: the repair was rolled back.",
        )


def replica_status(replica: Replica) -> ReplicaStatus:
    """Return the status of a server that was a replica when the plan was made. Stale when it is none any more."""
    try:
        return replica.status()
    except ReplicationError as error:
        raise Stale(f"The channel is not as it was: {error.message}", error.hint) from None


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
    """Return what contains rows: the intent, and once more what is written on the source."""
    there = plan.on_source
    return (_intent(diagnosis, plan), *(() if there is None else (on_source_document(there),)))


def _not_on_source(failed: ReplfixError, progress: RoundProgress) -> NotVerified:
    unknown = progress.on_source is SourceWriteResult.UNKNOWN
    what = (
        "It is not known whether its part was written on the source" if unknown else "Nothing was written on the source"
    )
    kept = f"'replfix audit show {progress.audit_id}' prints the displaced rows and the SQL for the source."
    return NotVerified(
        f"The replica has applied the transaction, and its rows are those that the source then had. {what}: {failed.message}",
        " ".join(filter(None, (failed.hint.removeprefix("Nothing was written on the source.").strip(), kept))),
    )
