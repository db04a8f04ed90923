"""One executor for a repair and for an undo: the stages of both, in their order, and what is on record of each.

The order is the promise: nothing is written before its intent is durable in the trail, nothing is applied that a server
has not rehearsed, and what is reported is what was looked at afterwards.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Protocol

from replfix.core.plan.plan import Plan
from replfix.core.trail.audit_record import RecordKind
from replfix.core.trail.intent_result import IntentResult
from replfix.errors import NotVerified, ReplfixError
from replfix.workflow.operation import IncidentLog, Operation, RoundProgress


class Stage(enum.StrEnum):
    """A stage of a repair or an undo. ``REPAIR`` and ``UNDO`` have them in their order."""

    CHECK = "check"
    REHEARSE_ON_SOURCE = "rehearse on the source"
    REHEARSE = "rehearse"
    RECORD = "record"
    APPLY = "apply"
    GET_PAST = "get past"
    VERIFY = "verify"
    WRITE_ON_SOURCE = "write on the source"
    START = "start"
    CONFIRM = "confirm"


REPAIR = (
    Stage.CHECK,
    Stage.REHEARSE_ON_SOURCE,
    Stage.REHEARSE,
    Stage.RECORD,
    Stage.APPLY,
    Stage.GET_PAST,
    Stage.VERIFY,
    Stage.WRITE_ON_SOURCE,
    Stage.START,
    Stage.CONFIRM,
)
UNDO = (
    Stage.CHECK,
    Stage.REHEARSE_ON_SOURCE,
    Stage.REHEARSE,
    Stage.RECORD,
    Stage.WRITE_ON_SOURCE,
    Stage.CONFIRM,
    Stage.APPLY,
    Stage.VERIFY,
)
"""What was written on the source goes first: it is in the places of the rows that come back."""

SETTINGS_CHANGED = (Stage.REHEARSE, Stage.APPLY)
"""From the first of these to the last, super_read_only is off where a write needs that."""

ENDED: Mapping[Stage, tuple[str, str]] = {
    Stage.CHECK: ("The plan is made anew and compared with the one that was shown.", "Nothing is changed."),
    Stage.REHEARSE_ON_SOURCE: ("The source carries out its part and rolls it back.", "Nothing is changed."),
    Stage.REHEARSE: (
        "The replica carries out the plan, and the transaction's own events, and rolls all of it back.",
        "Nothing is changed. Settings are put back.",
    ),
    Stage.RECORD: ("The intent, with every displaced row, is written to the audit trail.", "Nothing is changed."),
    Stage.APPLY: (
        "The steps are committed in one transaction. Every guard is checked under its locks.",
        "All steps are committed or none. If COMMIT was not answered, `recover` finds out.",
    ),
    Stage.GET_PAST: ("The replica applies the transaction and stops.", "The steps are committed."),
    Stage.VERIFY: ("Every row is read and compared.", "The steps are committed. The channel stays stopped."),
    Stage.WRITE_ON_SOURCE: (
        "The source's part is recorded, with the keys that it got, and committed.",
        "The source's part is committed or not. If COMMIT was not answered, `recover` finds out.",
    ),
    Stage.START: ("The channel is started.", "Everything is written. `recover` starts the channel."),
    Stage.CONFIRM: ("What was written on the source is read on both servers.", "Everything is written."),
}
"""Of each stage: what is done, and what a run that ends in it leaves. docs/reference/stages.md prints it."""


class Procedure(Protocol):
    """What a repair or an undo does in each of its stages."""

    @property
    def plan(self) -> Plan:
        """The plan that is carried out."""
        ...

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Its stages, in their order."""
        ...

    @property
    def steps(self) -> Mapping[Stage, Callable[[], None]]:
        """What is done in every stage but RECORD, which is the executor's own."""
        ...

    @property
    def undoes(self) -> str | None:
        """The id of the intent that an undo takes back."""
        ...

    def settings(self) -> AbstractContextManager[None]:
        """Return the context in which settings that prevent a write are changed; after it they are put back."""
        ...

    def intent(self) -> dict[str, object]:
        """Return what is on record before anything is written."""
        ...

    def result(self) -> IntentResult:
        """Return what became of it, as far as it got."""
        ...

    def interrupted(self, error: BaseException) -> BaseException:
        """Put back what is not the executor's, and return what is raised in place of the error."""
        ...


def execute(
    operation: Operation, log: IncidentLog, procedure: Procedure, progress: RoundProgress, *, dry_run: bool = False
) -> None:
    """Go through the stages; with ``dry_run`` up to the record.

    Raises NotDone when nothing was changed, NotVerified otherwise. From the intent on, an interrupt waits for the end: in
    between nothing is as anybody would want it.
    """
    plan, stages = procedure.plan, iter(procedure.stages)
    with ExitStack() as shielded:
        try:
            with ExitStack() as settings:
                for stage in stages:
                    if stage is SETTINGS_CHANGED[0]:
                        settings.enter_context(procedure.settings())
                    if stage is Stage.RECORD:
                        progress.rehearsed = True
                        if dry_run:
                            return
                        shielded.enter_context(operation.shield())
                        progress.audit_id = log.append(RecordKind.INTENT, plan.channel, procedure.intent())
                    else:
                        procedure.steps[stage]()
                    if stage is SETTINGS_CHANGED[-1]:
                        break
            for stage in stages:
                procedure.steps[stage]()
        except BaseException as error:
            raised = procedure.interrupted(error)
            if progress.audit_id is not None:
                log.end(plan, procedure.result(), str(error), progress.on_source, procedure.undoes)
            if raised is error:
                raise
            raise raised from None
        progress.verified = True
        log.end(plan, procedure.result(), "", progress.on_source, procedure.undoes)


def after_the_commit(error: BaseException, done: str) -> BaseException:
    """Return an error after a COMMIT as NotVerified, where it would say by itself that nothing was changed."""
    if isinstance(error, NotVerified) or not isinstance(error, ReplfixError):
        return error
    return NotVerified(f"{done}; then: {error.message}", error.hint or "'replfix status' shows the channel.")


def commit_guarded(
    carry_out: Callable[[Callable[[], None]], None], check: Callable[[], None], progress: RoundProgress
) -> None:
    """Call ``carry_out`` with ``check`` last before it counts.

    Whatever is raised, ``progress`` has what is known of it.
    """
    guarded = False

    def guard() -> None:
        nonlocal guarded
        check()
        guarded = True

    try:
        carry_out(guard)
    except BaseException as error:
        # COMMIT comes right after the guard: an interrupt there leaves open whether the server got it.
        progress.unknown = isinstance(error, NotVerified) or (guarded and not isinstance(error, ReplfixError))
        progress.applied = progress.unknown
        raise
    progress.applied = True
