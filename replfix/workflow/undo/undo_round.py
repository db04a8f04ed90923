"""An undo, in the stages of ``execution.UNDO``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress

from replfix.core import sql
from replfix.core.plan.interrupted_repair import RepairState, standing
from replfix.core.plan.interrupted_repair import questions as standing_questions
from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.plan import Plan, on_source_document, to_document
from replfix.core.plan.staleness import redefined, replanned
from replfix.core.schema.table import Table, TableName
from replfix.core.trail.intent_result import IntentResult
from replfix.core.words import counted
from replfix.errors import NotVerified, ReplfixError, Stale
from replfix.ports import Repair, Replica, Server
from replfix.workflow.apply.execution import UNDO, Stage, after_the_commit, commit_guarded, execute
from replfix.workflow.apply.temporary_settings import writable
from replfix.workflow.apply.write_on_source import SourceWriter
from replfix.workflow.investigate.recorded_repair import Repaired, still_to_undo
from replfix.workflow.operation import IncidentLog, Operation, RoundProgress
from replfix.workflow.undo.inspect_undo import UndoState, inspect

_HALF = "What the repair wrote on the source is taken back, and on the replica nothing is undone: "
_GO_ON = "The same command goes on with the rest."


def undo_round(
    operation: Operation, log: IncidentLog, repair: Repaired, state: UndoState, progress: RoundProgress
) -> None:
    """Rehearse and carry out what takes the repair back.

    Raises NotDone when nothing was changed, NotVerified otherwise.
    """
    with operation.replica.repair(state.plan.channel) as session:
        execute(operation, log, _UndoRound(operation, log, repair, state, progress, session), progress)


class _UndoRound:
    stages = UNDO

    def __init__(
        self,
        operation: Operation,
        log: IncidentLog,
        repair: Repaired,
        state: UndoState,
        progress: RoundProgress,
        session: Repair,
    ) -> None:
        self.plan = state.plan
        self.undoes: str | None = repair.intent.id
        self._operation = operation
        self._log = log
        self._repair = repair
        self._state = state
        self._progress = progress
        self._session = session
        self._source = source_writer(operation, log, repair, state, progress)
        self.steps: Mapping[Stage, Callable[[], None]] = {
            Stage.CHECK: self._check,
            Stage.REHEARSE_ON_SOURCE: self._source.rehearse,
            Stage.REHEARSE: self._rehearse,
            Stage.WRITE_ON_SOURCE: self._write_on_source,
            Stage.CONFIRM: self._confirm,
            Stage.APPLY: self._apply,
            Stage.VERIFY: self._verify,
        }

    def _check(self) -> None:
        still_to_undo(self._operation.trail, self._repair)  # now that nobody else can
        there = () if self.plan.on_source is None else (on_source_document(self.plan.on_source),)
        self._operation.trail.check_room(self.intent(), *there)

    def settings(self) -> AbstractContextManager[None]:
        if not self.plan.steps:
            return nullcontext()
        return writable(self._log, self.plan.server_uuid, self.plan.channel, self._session)

    def intent(self) -> dict[str, object]:
        undo = [step.undo_sql for step in reversed(self.plan.steps)]
        return {
            "undoes": self._repair.intent.id,
            "plan": to_document(self.plan),
            "digest": self.plan.digest,
            "undo": [*sql.UNDO_SETTINGS, *undo] if undo else [],
        }

    def _rehearse(self) -> None:
        if not self.plan.steps:
            return
        self._operation.progress("Rehearsing the undo on the replica (everything is rolled back)")

        def stop() -> None:
            raise _RolledBack

        with suppress(_RolledBack):
            self._session.apply(self._state.rehearsed, self._state.events, self._state.tables, stop)

    def _write_on_source(self) -> None:
        if (failed := self._source.write()) is not None:
            raise failed

    def _confirm(self) -> None:
        """Wait for the source's part before the replica's rows: what was written on the source is in their places."""
        go_on = _GO_ON if self.plan.steps else ""
        try:
            self._source.see()
        except NotVerified as error:
            raise NotVerified(error.message, f"{error.hint} {go_on}".rstrip()) from None
        if self._progress.on_source is SourceWriteResult.WRITTEN:
            raise NotVerified(
                "What the repair wrote on the source is taken back there; the channel stopped before the replica got that.",
                f"'replfix diagnose' shows why. {go_on}".rstrip(),
            )

    def _apply(self) -> None:
        plan, state = self.plan, self._state
        if not plan.steps:
            return
        self._operation.progress(f"Undoing {counted(len(plan.steps), 'step')} in one transaction, not logged")
        commit_guarded(
            lambda guard: self._session.apply(plan, state.events, state.tables, guard),
            lambda: _still_there(self._operation.replica, plan, state.tables),
            self._progress,
        )

    def _verify(self) -> None:
        """Compare the replica's rows. What is on the source was looked at before, there and here."""
        plan, tables, replica = self.plan, self._state.tables, self._operation.replica
        if not plan.steps:
            return
        found = standing(plan, tables, replica.find(tables, standing_questions(plan.steps, tables)))
        if found is not RepairState.AFTER:
            raise NotVerified(
                f"The undo was committed, but its rows are {found.value}: somebody, or the applier, changed them right after.",
                "A SELECT shows them as they are; what was there before is in the audit trail.",
            )

    def result(self) -> IntentResult:
        on_source = self._progress.on_source
        if self._progress.unknown or on_source is SourceWriteResult.UNKNOWN:
            return IntentResult.UNKNOWN
        if self._progress.applied:
            return IntentResult.UNDONE
        if on_source in (SourceWriteResult.WRITTEN, SourceWriteResult.SEEN):
            return IntentResult.UNDONE_ON_SOURCE if self.plan.steps else IntentResult.UNDONE
        return IntentResult.NOT_UNDONE

    def interrupted(self, error: BaseException) -> BaseException:
        if self._progress.applied:
            return after_the_commit(error, "The undo was carried out")
        if isinstance(error, NotVerified) or not isinstance(error, ReplfixError):
            return error
        if self._progress.on_source in (SourceWriteResult.WRITTEN, SourceWriteResult.SEEN):
            return NotVerified(f"{_HALF}{error.message}", f"{error.hint} {_GO_ON}".strip())
        return error


class _RolledBack(Exception):
    """The end of a rehearsal."""


def _still_there(replica: Replica, plan: Plan, tables: Mapping[TableName, Table]) -> None:
    if (now := replica.uuid()) != plan.server_uuid:
        raise Stale(f"The server is {now} now, not {plan.server_uuid}.", "Nothing was changed: it was rolled back.")
    if changed := redefined(tables, {name: replica.table(name) for name in tables}):
        raise Stale(
            f"While the undo was carried out, things changed: {changed}.", "Nothing was changed: it was rolled back."
        )


def source_writer(
    operation: Operation, log: IncidentLog, repair: Repaired, state: UndoState, progress: RoundProgress
) -> SourceWriter:
    """Return what takes back what the repair wrote on the source."""

    def check(_: object) -> None:
        now = inspect(operation, repair)
        changed = " ".join(now.in_the_way[:3]) or replanned(state.plan, now.plan)
        if changed:
            raise Stale(f"While the undo was carried out, things changed: {changed}", "Nothing was changed.")

    half = state.source

    def source() -> Server:
        assert half is not None
        return operation.source_of(half.channel)

    return SourceWriter(operation, log, state.plan, progress, source, half.tables if half is not None else {}, check)
