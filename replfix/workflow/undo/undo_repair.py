"""A repair taken back: its inverse, out of the trail, under the same guards as the repair itself."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.plan import Plan
from replfix.core.remedies.remedy import Remedy
from replfix.core.trail.audit_record import AuditRecord
from replfix.core.words import CANCELLED, counted
from replfix.errors import NotVerified, Refused
from replfix.ports import Replica
from replfix.workflow.investigate.recorded_repair import ROWS_HINT, repaired
from replfix.workflow.operation import IncidentLog, Operation, RoundProgress
from replfix.workflow.recover.recovery import recover_first
from replfix.workflow.recover.trusted_record import check_whole, confirm_repair
from replfix.workflow.undo.inspect_undo import inspect
from replfix.workflow.undo.undo_offers import offers
from replfix.workflow.undo.undo_round import source_writer, undo_round

Confirm = Callable[[Plan], bool]


class UndoResult(enum.StrEnum):
    """How an undo ended."""

    UNDONE = "undone"
    REHEARSED = "rehearsed"  # a dry run: it can be undone
    NEEDS_HUMAN = "needs_human"
    REFUSED = "refused"
    FAILED = "failed"
    NOTHING_TO_DO = "nothing_to_do"


@dataclass(frozen=True, slots=True)
class UndoOutcome:
    """What became of an undo. ``plan`` is the inverse of the repair whose intent is ``undoes``."""

    result: UndoResult
    message: str
    hint: str
    undoes: AuditRecord
    plan: Plan
    in_the_way: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()  # of one that is refused: what can be done with the rows
    source: str = ""  # its address, where remedies are run there
    audit_ids: tuple[str, ...] = ()
    dry_run: bool = False
    on_source: SourceWriteResult | None = None  # None: it has no part there


def undo(operation: Operation, record_id: str, *, dry_run: bool, confirm: Confirm) -> UndoOutcome:
    """Take back the repair that the record belongs to.

    What it wrote on the source comes first, then its rows on the replica, all of them or none. ``confirm`` is shown the
    plan before anything is done. A dry run compares, rehearses the part on the source, and stops. Raises NotDone when
    nothing was changed. On the replica, rows are compared and changed under their locks, whether the channel runs or
    not.
    """
    recover_first(operation, finish=not dry_run)
    repair = repaired(operation.trail, record_id)
    _same_server(operation.replica, repair.document)
    check_whole(operation.trail)
    operation.progress(f"Undoing what is told by the {repair.intent.named}")
    looked = inspect(operation, repair)
    plan, hint = looked.plan, ROWS_HINT.format(repair.intent.id)
    as_found = UndoOutcome(UndoResult.NOTHING_TO_DO, "", "", repair.intent, plan, dry_run=dry_run)
    if not plan.steps and plan.on_source is None:
        return replace(as_found, message="That repair changed no row: there is nothing to undo.")
    if reasons := looked.in_the_way:
        channel = operation.replica.status().channel(plan.channel)
        return replace(
            as_found,
            result=UndoResult.REFUSED,
            message=" ".join(reasons[:3]),
            hint=hint,
            in_the_way=reasons,
            remedies=offers(operation, looked.repair, looked.tables, repair.intent.id),
            source=f"{channel.source_host}:{channel.source_port}" if channel is not None else "",
        )
    lost = replace(looked.repair, steps=looked.repair.steps if plan.steps else ())
    confirm_repair(operation, repair.intent, lost, looked.tables, repair.on_source)
    log, progress = IncidentLog(operation, repair.intent.incident), RoundProgress()
    if dry_run:
        source_writer(operation, log, repair, looked, progress).rehearse()
        return replace(
            as_found,
            result=UndoResult.REHEARSED,
            message=f"Dry run: nothing is in the way of {_rows(plan)}.",
            hint="Run the command without --dry-run to carry it out.",
            on_source=progress.on_source,
        )
    if not confirm(plan):
        return replace(as_found, result=UndoResult.NEEDS_HUMAN, message=CANCELLED, hint="")
    try:
        undo_round(operation, log, repair, looked, progress)
    except NotVerified as error:
        return replace(
            as_found,
            result=UndoResult.FAILED,
            message=error.message,
            hint=error.hint,
            audit_ids=tuple(log.ids),
            on_source=progress.on_source,
        )
    return replace(
        as_found,
        result=UndoResult.UNDONE,
        message=_done(plan),
        hint=_DIFFERS if plan.steps else "",
        audit_ids=tuple(log.ids),
        on_source=progress.on_source,
    )


_DIFFERS = "The replica differs from its source in these rows again: it may stop on them later."


def _rows(plan: Plan) -> str:
    there = counted(len(plan.on_source.steps), "row") + " on the source" if plan.on_source is not None else ""
    here = counted(len(plan.steps), "row") + (" on the replica" if there else "") if plan.steps else ""
    return " and ".join(filter(None, (there, here)))


def _done(plan: Plan) -> str:
    here = f"{counted(len(plan.steps), 'row')} brought back to what was there before the repair."
    if plan.on_source is None:
        return here
    there = f"{counted(len(plan.on_source.steps), 'row')} taken back on the source, seen there and on the replica."
    return f"{there} {here if plan.steps else 'On the replica the displaced rows do not come back: the audit trail has them.'}"


def _same_server(replica: Replica, document: Mapping[str, object]) -> None:
    there, here = document.get("server_uuid"), replica.uuid()
    if there != here:
        raise Refused(
            f"The repair was made on the server {there}, and {replica.address} is {here}.",
            "Nothing was changed. Name the replica that was repaired: --replica URL.",
        )
