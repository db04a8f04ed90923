"""From a stopped channel to one that runs: the conflicts that wait in the backlog together, or one failing transaction after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from replfix.core.conclude import strategy_names
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.incident.evidence import LockHolder
from replfix.core.incident.skipped import LEAVES_OTHERS, REST_IS_MISSING
from replfix.core.plan.outcome import Outcome, Result, Round, SourceWriteResult
from replfix.core.plan.plan import Plan, in_words
from replfix.core.strategies import source_wins
from replfix.core.words import CANCELLED, counted, shortened, suggestion
from replfix.errors import (
    AuditError,
    NoReplica,
    NotVerified,
    RehearsalFailed,
    ReplfixError,
    ReplicationError,
    Stale,
    StoppedByHand,
    UsageError,
)
from replfix.workflow.apply.close_gap import close_gap
from replfix.workflow.apply.repair_round import one_round, plan_of
from replfix.workflow.apply.write_on_source import arrived
from replfix.workflow.investigate.ahead.look_ahead import MOST_TRANSACTIONS, look_ahead
from replfix.workflow.investigate.investigation import investigate
from replfix.workflow.operation import IncidentLog, Operation, RoundProgress
from replfix.workflow.recover.recovery import recover_first

TRIES = 3
"""How often a transaction with which nothing is wrong is rehearsed, before a human has to look at what is in its way."""
BETWEEN_TRIES_SECONDS = 2.0

Confirm = Callable[[Diagnosis, Plan], bool]


def check_strategy(name: str) -> None:
    """Raise UsageError, with the likely one, where there is no strategy of that name."""
    if name not in strategy_names():
        raise UsageError(f"There is no strategy {name[:60]!r}.", suggestion(name, strategy_names(), "Strategies"))


def resolve(
    operation: Operation,
    *,
    strategy: str,
    channel: str | None,
    max_rounds: int,
    dry_run: bool,
    confirm: Confirm,
    ahead: bool = True,
) -> Outcome:
    """Repair the stopped channel and start it, again for each next failing transaction, ``max_rounds`` at the most.

    With ``ahead``, ``source-wins`` takes the transactions after the failing one that would stop the applier too into the
    same round. When no channel was named, then the next one that an error stopped. ``confirm`` is shown each plan before anything
    is done for it. A dry run rehearses the first plan and stops. Raises NotDone when nothing was changed, ConnectError
    before anything was; once something was changed, the outcome says how things are.
    """
    check_strategy(strategy)
    recover_first(operation, finish=not dry_run)
    run = _Resolution(operation, strategy, channel, max_rounds, dry_run, confirm, ahead=ahead)
    while (outcome := run.next_round()) is None:
        pass
    return outcome


@dataclass(frozen=True, slots=True)
class _AgreedPlan:
    """What is carried out. The diagnosis that it came from is made anew then: two large ones at once take twice the memory."""

    plan: Plan
    transient: bool
    lock_holders: tuple[LockHolder, ...] | None


class _Resolution:
    """Rounds, until one ends the run."""

    def __init__(
        self,
        operation: Operation,
        strategy: str,
        channel: str | None,
        max_rounds: int,
        dry_run: bool,
        confirm: Confirm,
        *,
        ahead: bool,
    ) -> None:
        self._operation = operation
        self._strategy = strategy
        self._channel = channel  # the next rounds are about the one that was diagnosed first
        self._any_channel = channel is None
        self._max_rounds = max_rounds
        self._dry_run = dry_run
        self._confirm = confirm
        self._log = IncidentLog(operation)
        self._rounds: list[Round] = []
        self._agreed: set[tuple[object, ...]] = set()
        self._tries = 0
        self._ahead = MOST_TRANSACTIONS if ahead and strategy == source_wins.NAME else 1
        self._alone = False  # the next round is about one transaction: several together were rejected

    def next_round(self) -> Outcome | None:
        """Diagnose, plan, ask, carry out; None when there may be more to do."""
        agreed = self._agreed_plan()
        return self._carry_out(agreed) if isinstance(agreed, _AgreedPlan) else agreed

    def _agreed_plan(self) -> _AgreedPlan | Outcome | None:
        """Diagnose, plan and ask."""
        try:
            diagnosis = _diagnosis(self._operation, self._channel)
            if diagnosis is None and self._rounds and self._any_channel and (another := _failed(self._operation)):
                self._channel = another
                return None
        except ReplfixError as error:
            if not self._rounds and (isinstance(error, NoReplica) or not isinstance(error, ReplicationError)):
                raise
            return self._stop(self._then(error.message), error.hint)
        if diagnosis is None:
            return self._nothing_left()
        self._channel = diagnosis.evidence.channel.name
        plan, why_not = plan_of(diagnosis, self._strategy)
        if plan is None:
            unreachable = diagnosis.evidence.unreachable
            if unreachable is not None and not self._rounds and diagnosis.evidence.transaction is None:
                raise unreachable
            return self._stop(self._on_the_next_one(diagnosis, f": {why_not}") or why_not, _what_is_shown(diagnosis))
        if not self._alone and len(self._rounds) < self._max_rounds:
            diagnosis, plan = self._with_those_ahead(diagnosis, plan)
        self._alone = False
        evidence = diagnosis.evidence
        return self._not_to_be_done(diagnosis, plan) or _AgreedPlan(plan, evidence.transient, evidence.lock_holders)

    def _with_those_ahead(self, diagnosis: Diagnosis, plan: Plan) -> tuple[Diagnosis, Plan]:
        """Return what is done in this round: for as many transactions as can be planned together, else for the one."""
        operation = self._operation
        found = look_ahead(
            operation.replica,
            operation.source_of,
            diagnosis,
            plan,
            most=self._ahead,
            progress=operation.progress,
            trail=operation.trail_to_read,
        )
        if found is None:
            return diagnosis, plan
        operation.progress(f"Planned together: {found.in_words}")
        return found.diagnosis, found.plan

    def _nothing_left(self) -> Outcome:
        if self._rounds:
            return _resolved(self._operation, self._channel, self._rounds, self._log)
        return Outcome(Result.NOTHING_TO_DO, "Replication runs: there is nothing to resolve.")

    def _not_to_be_done(self, diagnosis: Diagnosis, plan: Plan) -> Outcome | None:
        """Return why this run leaves the plan to a human; None when it carries it out."""
        if self._rounds and plan.left_out is not None:
            return self._stop(
                self._on_the_next_one(diagnosis, "."),
                "One transaction is left out at a time: look at this one with 'replfix diagnose'.",
            )
        if len(self._rounds) == self._max_rounds:
            return self._stop(
                self._on_the_next_one(diagnosis, f"; --max-rounds {self._max_rounds} was reached."),
                "Run the command again, with a larger --max-rounds when that is what you want.",
            )
        if not self._dry_run and plan.shown not in self._agreed and not self._confirm(diagnosis, plan):
            return self._stop(CANCELLED if not self._rounds else "Cancelled.", "")
        self._agreed.add(plan.shown)
        return None

    def _carry_out(self, agreed: _AgreedPlan) -> Outcome | None:
        plan, progress = agreed.plan, RoundProgress()
        try:
            if not self._dry_run and close_gap(self._operation, self._log, plan):
                return None
            one_round(self._operation, self._log, plan, self._dry_run, progress)
            self._tries = 0
            self._ahead *= 2 if plan.run is not None else 1  # after fewer, because more were rejected
        except NotVerified as error:
            self._rounds.append(progress.as_round(plan))
            return Outcome(Result.FAILED, error.message, error.hint, tuple(self._rounds), tuple(self._log.ids))
        except ReplfixError as error:
            if isinstance(error, RehearsalFailed) and agreed.transient and not plan.steps:
                return self._try_again(agreed, error)
            if plan.run is not None and isinstance(error, RehearsalFailed | Stale | AuditError):
                self._go_on_alone(plan, error)
                return None
            if not self._rounds:
                raise
            return self._stop(self._then(error.message), error.hint)
        self._rounds.append(progress.as_round(plan))
        if self._dry_run:
            return _rehearsed(self._rounds[0], self._log)
        if progress.left_stopped:
            return self._stop(f"The channel was not started again. {progress.left_stopped}", "")
        return None

    def _go_on_alone(self, plan: Plan, error: ReplfixError) -> None:
        """Go on with the failing transaction alone; the next time fewer are planned together. Nothing was changed."""
        self._operation.progress(
            f"Not done for {plan.covers} together: {error.message} Going on with {plan.transaction} alone"
        )
        self._ahead = max(1, plan.transactions // 2)
        self._alone = True

    def _try_again(self, agreed: _AgreedPlan, error: RehearsalFailed) -> Outcome | None:
        self._tries += 1
        if self._tries == TRIES or self._dry_run:
            message, hint = _still_held(agreed.lock_holders, error)
            return self._stop(self._then(message), hint)
        self._operation.progress(f"It does not go through yet: trying again in {BETWEEN_TRIES_SECONDS:.0f} s")
        self._operation.clock.sleep(BETWEEN_TRIES_SECONDS)
        return None

    def _then(self, message: str) -> str:
        """Return what went wrong after the rounds that were verified, if there were any."""
        return f"Then: {message}" if self._rounds else message

    def _on_the_next_one(self, diagnosis: Diagnosis, more: str) -> str:
        """Return that another transaction waits, after those that were repaired; empty before any was."""
        evidence = diagnosis.evidence
        of = evidence.transaction or evidence.logged
        named = f" ({of.id})" if of is not None else ""
        return f"The channel has stopped on the next one{named}{more}" if self._rounds else ""

    def _stop(self, message: str, hint: str) -> Outcome:
        return _stopped_short(self._rounds, self._log, message, hint)


def _diagnosis(operation: Operation, channel: str | None) -> Diagnosis | None:
    try:
        return investigate(operation.replica, operation.source_of, channel, operation.progress, operation.trail_to_read)
    except StoppedByHand as error:
        # It is also stopped while another replfix lets it apply one transaction: Busy says which one.
        with operation.replica.repair(error.channel):
            return investigate(
                operation.replica, operation.source_of, channel, operation.progress, operation.trail_to_read
            )


def _failed(operation: Operation) -> str | None:
    """Return a channel that an error stopped."""
    return next((c.name for c in operation.replica.status().channels if c.failure is not None), None)


def rehearse(operation: Operation, plan: Plan) -> Outcome:
    """Let the replica rehearse one plan that was shown; everything is rolled back.

    Raises RehearsalFailed with the server's words, Stale when the plan is not what the replica needs now.
    """
    recover_first(operation, finish=False)
    log, progress = IncidentLog(operation), RoundProgress()
    one_round(operation, log, plan, True, progress)
    return _rehearsed(progress.as_round(plan), log)


def carry_out(operation: Operation, plan: Plan) -> Outcome:
    """Rehearse and carry out one plan that a human approved, and start the channel. Raises as ``resolve`` does.

    The result is ``resolved`` when the channel runs afterwards, ``needs_human`` when it stopped on the next
    transaction.
    """
    recover_first(operation)
    log, progress = IncidentLog(operation), RoundProgress()
    try:
        close_gap(operation, log, plan)
        one_round(operation, log, plan, False, progress)
    except NotVerified as error:
        return Outcome(Result.FAILED, error.message, error.hint, (progress.as_round(plan),), tuple(log.ids))
    rounds = [progress.as_round(plan)]
    if progress.left_stopped:
        return _stopped_short(rounds, log, f"The channel was not started again. {progress.left_stopped}", "")
    try:
        channel = operation.replica.status().channel(plan.channel)
    except ReplfixError as error:
        return _stopped_short(rounds, log, f"Then: {error.message}", error.hint)
    if channel is not None and channel.applier_running:
        return _resolved(operation, plan.channel, rounds, log)
    return _stopped_short(rounds, log, "The channel has stopped on a later one.", "Look at that one next.")


def _resolved(operation: Operation, channel: str | None, rounds: list[Round], log: IncidentLog) -> Outcome:
    """Return the outcome for a channel that runs.

    What rounds before the last wrote on the source may have come to the replica only now.
    """
    for number, round_ in enumerate(rounds):
        if round_.on_source is SourceWriteResult.WRITTEN and channel is not None:
            tables = {name: t for name in {s.table for s in round_.written} if (t := operation.replica.table(name))}
            if not arrived(operation, channel, round_.written, tables):
                return Outcome(
                    Result.FAILED,
                    f"{_in_short(rounds)} What was written on the source for {round_.plan.transaction} is not on the replica.",
                    "'replfix status' shows the channel; what was written is in the audit trail.",
                    tuple(rounds),
                    tuple(log.ids),
                )
            rounds[number] = replace(round_, on_source=SourceWriteResult.SEEN)
    others = any(cause in LEAVES_OTHERS for round_ in rounds for cause in round_.causes[:1])
    message = f"{_in_short(rounds)} The channel is running."
    return Outcome(Result.RESOLVED, message, REST_IS_MISSING if others else "", tuple(rounds), tuple(log.ids))


def _still_held(holders: tuple[LockHolder, ...] | None, error: ReplfixError) -> tuple[str, str]:
    """Return what blocks a transaction with which nothing is wrong, and what to do about it."""
    if not holders:
        seen = "Who holds a lock is unknown" if holders is None else "Nobody is seen to hold a lock"
        return error.message, f"No row was changed. {seen}: look at SHOW PROCESSLIST, then try again."
    kill = ", ".join(f"KILL {holder.connection}" for holder in holders)
    return (
        " ".join((error.message, *(holder.in_words() for holder in holders))),
        f"No row was changed. Wait until that transaction ends, or end it ({kill}), and run the command again.",
    )


def _rehearsed(round_: Round, log: IncidentLog) -> Outcome:
    names = tuple(dict.fromkeys(log.switched))
    switched = (
        f" {' and '.join(names)} {'was' if len(names) == 1 else 'were'} switched off for that, and put back."
        if names
        else ""
    )
    return Outcome(
        Result.REHEARSED,
        f"Dry run: {round_.plan.rehearsal}.{switched}",
        "Run the command without --dry-run to carry it out.",
        (round_,),
        tuple(log.ids),
        dry_run=True,
    )


def _what_is_shown(diagnosis: Diagnosis) -> str:
    """Return where a human goes on: only where there is something to see."""
    if any(remedy.sql for remedy in diagnosis.advice):
        return "'replfix diagnose' shows the manual steps, with their statements."
    if diagnosis.advice:
        return " ".join(remedy.text for remedy in diagnosis.advice)
    found = diagnosis.evidence.reconciliation
    return "'replfix diagnose' shows the rows." if found is not None and found.conflicts else ""


def _stopped_short(rounds: list[Round], log: IncidentLog, message: str, hint: str) -> Outcome:
    if rounds:
        message = f"{_in_short(rounds)} {message}"
    return Outcome(Result.NEEDS_HUMAN, message, hint, tuple(rounds), tuple(log.ids))


def _in_short(rounds: list[Round]) -> str:
    for plan in (r.plan for r in rounds):
        if plan.left_out is not None and plan.net_rows:  # never more than one that leaves anything out
            return f"{plan.transaction} was carried out without {plan.left_out.in_words} of it."
        if plan.left_out is not None:
            return f"{plan.transaction} was left out: this replica never gets {plan.left_out.in_words} of it."
    displaced = sum(len(r.plan.displaced) for r in rounds)
    text = f"{counted(sum(r.plan.transactions for r in rounds), 'transaction')} repaired and verified; {counted(displaced, 'row')} deleted or changed (saved)."
    return " ".join((text, *(_on_source(r) for r in rounds if r.written)))


def _on_source(round_: Round) -> str:
    where = {
        SourceWriteResult.SEEN: "on the source, seen there and on the replica",
        SourceWriteResult.WRITTEN: "on the source",
    }
    said = where.get(round_.on_source or SourceWriteResult.UNKNOWN, "on the source, if it was committed")
    return f"Written {said}: {'; '.join(shortened(tuple(map(in_words, round_.written)), 'row'))}."
