"""From a stopped channel to one that runs: plan, rehearse, record, apply, let the replica go on, look, record.

The order is the promise: nothing is written before its intent is durable in the trail, nothing is applied that the
replica has not rehearsed, and what is reported is what was looked at afterwards.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass

from replfix.core import sql
from replfix.core.audit_record import AuditRecord, RecordKind
from replfix.core.conclude import strategy_names
from replfix.core.diagnosis import Diagnosis
from replfix.core.gtid import GtidSet
from replfix.core.misfit import misfit
from replfix.core.outcome import Outcome, Result, Round
from replfix.core.plan import Plan, to_document
from replfix.core.reconcile import final_rows, not_as_final
from replfix.core.status import ChannelStatus, ReceiverState, ReplicaStatus
from replfix.core.table import Table, TableName
from replfix.core.words import counted
from replfix.errors import AuditError, NotVerified, RehearsalFailed, ReplfixError, ReplicationError, Stale, UsageError
from replfix.ports import Clock, Repair, Replica, Trail
from replfix.workflow.investigate import Progress, SourceOf, investigate

UNTIL_SECONDS = 600.0
"""How long the applier may take for the failing transaction alone."""
SETTLE_SECONDS = 5.0
"""How long a channel with a backlog has to run without an error before it counts as running."""
POLL_SECONDS = 0.1

Confirm = Callable[[Diagnosis, Plan], bool]


@dataclass(frozen=True, slots=True)
class Operation:
    """Everything that one resolution works with. ``name`` is what people call the replica."""

    name: str
    replica: Replica
    source_of: SourceOf
    trail: Trail
    clock: Clock
    progress: Progress
    shield: Callable[[], AbstractContextManager[None]] = nullcontext  # what is inside is not to be interrupted


class _Story:
    """What the trail is told about one resolution, and the ids of those records."""

    def __init__(self, operation: Operation) -> None:
        self._trail = operation.trail
        self._name = operation.name
        self._incident = uuid.uuid4().hex[:12]
        self.ids: list[str] = []

    def tell(self, kind: RecordKind, channel: str, payload: dict[str, object], incident: str | None = None) -> str:
        record = self._trail.append(
            kind, incident=incident or self._incident, replica=self._name, channel=channel, payload=payload
        )
        self.ids.append(record.id)
        return record.id


@dataclass(slots=True)
class _Came:
    """How far a round came."""

    rehearsed: bool = False
    applied: bool = False  # or may be: shown as done until somebody has looked
    unknown: bool = False  # whether it is
    verified: bool = False
    audit_id: str | None = None

    @property
    def in_words(self) -> str:
        if self.verified:
            return "applied and verified"
        return "unknown" if self.unknown else "applied, not verified" if self.applied else "not applied"

    def as_round(self, plan: Plan) -> Round:
        return Round(plan, self.rehearsed, self.applied, self.verified, self.audit_id)


def resolve(
    operation: Operation,
    *,
    strategy: str,
    channel: str | None,
    max_rounds: int,
    dry_run: bool,
    confirm: Confirm,
) -> Outcome:
    """Repair the stopped channel and start it, again for each next failing transaction, ``max_rounds`` at the most.

    ``confirm`` is shown each plan before anything is done for it. A dry run rehearses the first plan and stops.
    Raises NotDone when nothing was changed, ConnectError before anything was; once something was changed, the
    outcome says how it stands.
    """
    if strategy not in strategy_names():
        raise UsageError(f"Unknown strategy {strategy!r}.", f"Known: {', '.join(strategy_names())}.")
    put_back_leftovers(operation)
    story = _Story(operation)
    rounds: list[Round] = []
    while True:
        try:
            diagnosis = investigate(operation.replica, operation.source_of, channel, operation.progress)
        except ReplfixError as error:
            if not rounds and not isinstance(error, ReplicationError):
                raise
            return _stopped_short(rounds, story, error.message, error.hint)
        if diagnosis is None:
            if rounds:
                return Outcome(Result.RESOLVED, _in_short(rounds), "", tuple(rounds), tuple(story.ids))
            return Outcome(Result.NOTHING_TO_DO, "Replication runs: there is nothing to resolve.")
        channel = diagnosis.evidence.channel.name  # the next rounds are about the same channel
        plan, why_not = _plan(diagnosis, strategy)
        if plan is None:
            hint = "'replfix diagnose' shows the rows." if diagnosis.evidence.reconciliation else ""
            return _stopped_short(rounds, story, why_not, hint)
        if len(rounds) == max_rounds:
            return _stopped_short(
                rounds,
                story,
                f"The channel stopped again, on {plan.gtid}, after {max_rounds} rounds, which is the limit.",
                "Run the command again, with a larger --max-rounds when that is what you want.",
            )
        if not dry_run and not confirm(diagnosis, plan):
            return _stopped_short(rounds, story, "Not confirmed.", "")
        came = _Came()
        try:
            if not dry_run and _close_gap(operation, plan):
                continue
            _one_round(operation, story, plan, dry_run, came)
        except NotVerified as error:
            rounds.append(came.as_round(plan))
            return Outcome(Result.FAILED, error.message, error.hint, tuple(rounds), tuple(story.ids))
        except ReplfixError as error:
            if not rounds:
                raise
            return _stopped_short(rounds, story, error.message, error.hint)
        rounds.append(came.as_round(plan))
        if dry_run:
            return _rehearsed(rounds[0], story)


def rehearse(operation: Operation, plan: Plan) -> Outcome:
    """Let the replica rehearse one plan that was shown; everything is rolled back.

    Raises RehearsalFailed with the server's words, Stale when the plan is not what the replica needs now.
    """
    put_back_leftovers(operation)
    story, came = _Story(operation), _Came()
    _one_round(operation, story, plan, True, came)
    return _rehearsed(came.as_round(plan), story)


def carry_out(operation: Operation, plan: Plan) -> Outcome:
    """Rehearse and carry out one plan that a human approved, and start the channel. Raises as ``resolve`` does.

    The result is ``resolved`` when the channel runs afterwards, ``needs_human`` when it stopped on the next transaction.
    """
    put_back_leftovers(operation)
    story, came = _Story(operation), _Came()
    try:
        _close_gap(operation, plan)
        _one_round(operation, story, plan, False, came)
    except NotVerified as error:
        return Outcome(Result.FAILED, error.message, error.hint, (came.as_round(plan),), tuple(story.ids))
    rounds = [came.as_round(plan)]
    try:
        channel = operation.replica.status().channel(plan.channel)
    except ReplfixError as error:
        return _stopped_short(rounds, story, error.message, error.hint)
    if channel is not None and channel.applier_running:
        return Outcome(Result.RESOLVED, _in_short(rounds), "", tuple(rounds), tuple(story.ids))
    return _stopped_short(rounds, story, "the channel stopped again, on a later transaction.", "Look at that one next.")


def _rehearsed(round_: Round, story: _Story) -> Outcome:
    return Outcome(
        Result.NEEDS_HUMAN,
        f"Dry run: the replica rehearsed the plan and {round_.plan.gtid} itself, and rolled both back.",
        "Run the command without --dry-run to carry it out.",
        (round_,),
        tuple(story.ids),
        dry_run=True,
    )


def _plan(diagnosis: Diagnosis, strategy: str) -> tuple[Plan | None, str]:
    proposal = diagnosis.proposal(strategy)
    assert proposal is not None  # every strategy proposes or says why not
    return proposal.plan, f"{strategy} is not possible here: {proposal.reason}"


def _stopped_short(rounds: list[Round], story: _Story, message: str, hint: str) -> Outcome:
    if rounds:
        message = f"{_in_short(rounds)} Then: {message}"
    return Outcome(Result.NEEDS_HUMAN, message, hint, tuple(rounds), tuple(story.ids))


def _in_short(rounds: list[Round]) -> str:
    displaced = sum(len(r.plan.displaced) for r in rounds)
    transactions = counted(len(rounds), "failing transaction")
    return f"{transactions} repaired, applied and verified; {counted(displaced, 'row')} displaced."


def _one_round(operation: Operation, story: _Story, plan: Plan, dry_run: bool, came: _Came) -> None:
    """Rehearse, apply, start, verify one plan. Raises NotDone when nothing was changed, NotVerified otherwise."""
    try:
        _attempt(operation, story, plan, dry_run, came)
    except (RehearsalFailed, Stale) as error:
        if came.audit_id is None:  # with an intent on record, its outcome tells
            payload: dict[str, object] = {"plan": to_document(plan), "digest": plan.digest, "reason": error.message}
            story.tell(RecordKind.REFUSED, plan.channel, payload)
        raise


def _attempt(operation: Operation, story: _Story, plan: Plan, dry_run: bool, came: _Came) -> None:
    replica, progress = operation.replica, operation.progress
    with ExitStack() as shielded, replica.repair(plan.channel) as repair:
        diagnosis = _still_the_same(operation, plan)
        transaction, tables = diagnosis.evidence.transaction, diagnosis.evidence.tables
        assert transaction is not None
        try:
            with _writable(story, plan, repair):
                progress(f"Rehearsing the plan and {plan.gtid} on the replica (everything is rolled back)")
                repair.rehearse(plan, transaction, tables)
                came.rehearsed = True
                if dry_run:
                    return
                # From here to a channel that runs, an interrupt waits: in between nothing is as anybody would want it.
                shielded.enter_context(operation.shield())
                came.audit_id = story.tell(RecordKind.INTENT, plan.channel, _intent(diagnosis, plan))
                progress(f"Applying {counted(len(plan.steps), 'step')} in one transaction, not logged")
                _apply(operation, repair, plan, tables, came)
            _let_it_apply(operation, plan)
            _verify(operation, diagnosis)
            _start_again(operation, diagnosis.evidence.channel, plan)
        except BaseException as error:
            if came.audit_id is None:
                raise
            _tell_outcome(story, plan, came.in_words, str(error))
            if not came.applied or isinstance(error, NotVerified) or not isinstance(error, ReplfixError):
                raise
            raise NotVerified(
                f"The repair was applied; then: {error.message}",
                error.hint or "'replfix status' shows how the channel stands.",
            ) from None
        came.verified = True
        _tell_outcome(story, plan, came.in_words, "")


def _apply(operation: Operation, repair: Repair, plan: Plan, tables: Mapping[TableName, Table], came: _Came) -> None:
    guarded = False

    def guard() -> None:
        nonlocal guarded
        _check_guards(operation.replica, plan)
        guarded = True

    try:
        repair.apply(plan, tables, guard)
    except BaseException as error:
        # COMMIT comes right after the guard: an interrupt there leaves open whether the server was told.
        came.unknown = isinstance(error, NotVerified) or (guarded and not isinstance(error, ReplfixError))
        came.applied = came.unknown
        raise
    came.applied = True


def _still_the_same(operation: Operation, plan: Plan) -> Diagnosis:
    """A fresh diagnosis that leads to the very same plan, made while the channel is held."""
    try:
        diagnosis = investigate(operation.replica, operation.source_of, plan.channel)
    except ReplicationError as error:
        raise Stale(f"The channel does not stand as it did: {error.message}", error.hint) from None
    fresh = _plan(diagnosis, plan.strategy)[0] if diagnosis else None
    if diagnosis is None or fresh is None or fresh.digest != plan.digest:
        what = "the channel runs now" if diagnosis is None else "the diagnosis now leads to another plan"
        raise Stale(
            f"Something changed since the plan was shown: {what}.",
            "Nothing was changed. Run the command again to see how it stands now.",
        )
    return diagnosis


def _check_guards(replica: Replica, plan: Plan) -> None:
    """Last look before COMMIT, with the rows locked: still the same server, stopped on the same transaction."""
    changed = misfit(plan, replica.status())
    if changed:
        raise Stale(
            f"While the plan was carried out, things changed: {changed}.",
            "Nothing was changed: the repair was rolled back.",
        )


@contextmanager
def _writable(story: _Story, plan: Plan, repair: Repair) -> Iterator[None]:
    """super_read_only and the like out of the way, on record before it is done, put back and on record after."""
    with repair.alone():
        settings = repair.settings()
        if not settings:
            yield
            return
        payload: dict[str, object] = {"server_uuid": plan.server_uuid, "variables": dict(settings)}
        story.tell(RecordKind.SETTINGS, plan.channel, payload)
        inside: BaseException | None = None
        try:
            with repair.writable(settings):
                try:
                    yield
                except BaseException as error:
                    inside = error
                    raise
        except BaseException as error:
            # The error from inside came through, or the change itself was refused: they are as they were, and a later run
            # must not put them back when they may have been changed on purpose. Any other error leaves that open, and
            # the record with it.
            refused = isinstance(error, ReplfixError) and not isinstance(error, NotVerified)
            if error is inside or refused:
                with suppress(AuditError):
                    story.tell(RecordKind.SETTINGS_RESTORED, plan.channel, payload)
            raise
        story.tell(RecordKind.SETTINGS_RESTORED, plan.channel, payload)


def leftovers(trail: Trail, server_uuid: str) -> list[AuditRecord]:
    """Settings of that server which an interrupted run changed and did not put back."""
    return [r for r in trail.open_settings() if r.content.get("server_uuid") == server_uuid]


def put_back_leftovers(operation: Operation) -> None:
    """What a run that was killed left changed on this server, put back before anything else is done.

    Busy when a run that is still at work holds those settings.
    """
    server_uuid = operation.replica.uuid()
    for found in leftovers(operation.trail, server_uuid):
        with operation.replica.repair(found.channel) as repair, repair.alone():
            # Looked up again: the run that held the channel until now may have put them back itself.
            for record in leftovers(operation.trail, server_uuid):
                if record.id == found.id:
                    _put_back(operation, record, repair)


def _put_back(operation: Operation, record: AuditRecord, repair: Repair) -> None:
    variables = record.content.get("variables")
    if isinstance(variables, dict):
        operation.progress(f"Putting back what an interrupted run left changed: {', '.join(variables)}")
        repair.put_back({str(name): str(value) for name, value in variables.items()})
        operation.trail.append(
            RecordKind.SETTINGS_RESTORED,
            incident=record.incident,
            replica=record.replica,
            channel=record.channel,
            payload=record.content,
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
        "undo": [*sql.UNDO_SETTINGS, *(step.undo_sql for step in reversed(plan.steps))],
    }


def _tell_outcome(story: _Story, plan: Plan, result: str, detail: str) -> None:
    payload: dict[str, object] = {"digest": plan.digest, "gtid": plan.gtid, "result": result, "detail": detail}
    try:
        story.tell(RecordKind.OUTCOME, plan.channel, payload)
    except AuditError as error:
        raise NotVerified(
            f"The outcome ({result}) could not be recorded: {error.message}",
            f"{error.hint} The intent is on record; 'replfix status' shows how the channel stands.",
        ) from None


def _close_gap(operation: Operation, plan: Plan) -> bool:
    """Let the replica apply what comes before the failing transaction and was not committed when the workers stopped.

    Nothing is repaired for that. True when there was something: how the channel stands has to be looked at anew.
    """
    status = operation.replica.status()
    channel = status.channel(plan.channel)
    gap = status.waiting_before(channel, plan.gtid) if channel is not None else None
    if not gap:
        return False
    with operation.replica.repair(plan.channel):
        _still_the_same(operation, plan)
        operation.progress(f"START REPLICA until {plan.gtid}: {gap} come before it and are not applied yet")
        operation.replica.start(plan.channel, receiver=False, before_gtid=plan.gtid)
        status = _wait_until_stopped(operation, plan)
        channel = status.channel(plan.channel)
        if channel is not None and channel.failure is None and not status.waiting_before(channel, plan.gtid):
            # An UNTIL that was reached leaves no error behind (9.7.4): the applier has to meet the transaction again.
            operation.replica.start(plan.channel, receiver=False)
            _wait_until_stopped(operation, plan, or_applied=True)
    return True


def _wait_until_stopped(operation: Operation, plan: Plan, *, or_applied: bool = False) -> ReplicaStatus:
    """How the replica stands once the applier has come to the end of an UNTIL, or to an error; with ``or_applied`` also
    when it got past the plan's transaction and runs on."""
    clock = operation.clock
    deadline = clock.now() + UNTIL_SECONDS
    while True:
        status = operation.replica.status()
        channel = status.channel(plan.channel)
        if channel is None:
            raise NotVerified("The channel was removed while it was applying.", "Look at SHOW REPLICA STATUS.")
        if not channel.applier_running or (or_applied and plan.gtid in status.executed):
            return status
        if clock.now() > deadline:
            raise NotVerified(
                f"The replica is still applying transactions up to {plan.gtid} after {UNTIL_SECONDS:.0f} s.",
                "It goes on by itself and then stops (UNTIL); START REPLICA lets it go on after that.",
            )
        clock.sleep(POLL_SECONDS)


def _let_it_apply(operation: Operation, plan: Plan) -> None:
    """START REPLICA SQL_THREAD UNTIL the failing transaction is applied, and wait for it."""
    operation.progress(f"START REPLICA until {plan.gtid} is applied")
    operation.replica.start(plan.channel, receiver=False, until_gtid=plan.gtid)
    status = _wait_until_stopped(operation, plan)
    if plan.gtid in status.executed:
        return
    channel = status.channel(plan.channel)
    error = channel.failure if channel else None
    raise NotVerified(
        f"The repair was applied, but the replica did not get past {plan.gtid}: "
        + (error.message if error else "the applier was stopped."),
        "The displaced rows are in the audit trail. Run 'replfix diagnose' to see how it stands.",
    )


def _verify(operation: Operation, diagnosis: Diagnosis) -> None:
    """Every row that the transaction touched, read from the replica and held against the event."""
    transaction, tables = diagnosis.evidence.transaction, diagnosis.evidence.tables
    assert transaction is not None
    final = final_rows(transaction.changes, tables)
    operation.progress(f"Verifying {counted(len(final), 'row')} on the replica against the event")
    wrong = not_as_final(final, tables, operation.replica.find(tables, tuple(row.lookup for row in final)))
    if wrong:
        raise NotVerified(
            f"{transaction.gtid} was applied, but the replica's rows are not what it says: {'; '.join(wrong[:3])}.",
            "The channel was left stopped behind this transaction. Displaced rows are in the audit trail.",
        )


def _start_again(operation: Operation, before: ChannelStatus, plan: Plan) -> None:
    """START REPLICA, then watch until it has caught up, fails again, or has run for a while."""
    replica, clock = operation.replica, operation.clock
    receiver = before.receiver is not ReceiverState.STOPPED or before.receiver_errno != 0
    if not receiver:
        operation.progress("The receiver was stopped by hand before: only the applier is started")
    operation.progress("START REPLICA")
    replica.start(plan.channel, receiver=receiver)
    target: GtidSet | None = None
    deadline = clock.now() + SETTLE_SECONDS
    while clock.now() < deadline:
        status = replica.status()
        channel = status.channel(plan.channel)
        if channel is None or not channel.applier_running:
            return  # the next round's diagnosis says why
        target = target or channel.retrieved
        if target <= status.executed:
            return
        clock.sleep(POLL_SECONDS)
