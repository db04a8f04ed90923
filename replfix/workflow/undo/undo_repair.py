"""A repair taken back: its inverse, out of the trail, under the same guards as the repair itself."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from replfix.core import sql
from replfix.core.binlog.row_event import RawEvents, Transaction
from replfix.core.conflicts.foreign_keys.child_rows import parents_wanted, released_keys
from replfix.core.plan.interrupted_repair import UNDONE, UNDONE_ON_SOURCE, RepairState, standing
from replfix.core.plan.interrupted_repair import questions as standing_questions
from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.plan import Plan, Step, on_source_document, to_document
from replfix.core.plan.recorded_plan import as_recorded, fired, read_plan, tables_named
from replfix.core.plan.staleness import redefined, replanned
from replfix.core.remedies.remedy import Remedy
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies.source_wins import side_effect
from replfix.core.strategies.undo_plan import also_on_source, in_the_way, inverse, orphaned, questions
from replfix.core.trail.audit_record import AuditRecord, RecordKind
from replfix.core.words import counted
from replfix.errors import NotVerified, Refused, ReplfixError, ReplicationError, Stale
from replfix.ports import Repair, Replica, Server
from replfix.workflow.apply.repair_round import carry_out_guarded
from replfix.workflow.apply.temporary_settings import writable
from replfix.workflow.apply.write_on_source import SourceWriter
from replfix.workflow.investigate.foreign_keys.plan_children import referencing
from replfix.workflow.investigate.recorded_repair import ROWS_HINT, Repaired, repaired, still_to_undo
from replfix.workflow.operation import IncidentLog, Operation, RoundProgress
from replfix.workflow.recover.recovery import recover_first
from replfix.workflow.recover.trusted_record import check_whole, confirm_repair
from replfix.workflow.undo.source_undo import SourceUndo, source_half
from replfix.workflow.undo.undo_offers import offers

Confirm = Callable[[Plan], bool]


class UndoResult(enum.StrEnum):
    UNDONE = "undone"
    NEEDS_HUMAN = "needs_human"
    REFUSED = "refused"
    FAILED = "failed"
    NOTHING_TO_DO = "nothing_to_do"


@dataclass(frozen=True, slots=True)
class UndoOutcome:
    """What became of an undo. ``plan`` is the inverse of the repair that ``undoes`` tells of, its intent."""

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


@dataclass(frozen=True, slots=True)
class _Looked:
    """The plan, and how both servers stand to it. ``rehearsed``: all that will be done to the replica's rows, by whichever way
    it comes there."""

    repair: Plan
    plan: Plan
    tables: Mapping[TableName, Table]  # the replica's
    events: Transaction
    in_the_way: tuple[str, ...]
    source: SourceUndo | None = None

    @property
    def rehearsed(self) -> Plan:
        mirrored = self.source.mirrored if self.source is not None else ()
        return replace(self.plan, steps=(*mirrored, *self.plan.steps))


def undo(operation: Operation, record_id: str, *, dry_run: bool, confirm: Confirm) -> UndoOutcome:
    """Take back the repair that the record belongs to: what it wrote on the source first, then its rows on the replica, all of
    them or none.

    ``confirm`` is shown the plan before anything is done. A dry run compares, rehearses the part on the source, and stops.
    Raises NotDone when nothing was changed. On the replica, rows are compared and changed under their locks, whether the
    channel runs or not.
    """
    recover_first(operation, finish=not dry_run)
    repair = repaired(operation.trail, record_id)
    _same_server(operation.replica, repair.document)
    check_whole(operation.trail)
    operation.progress(f"Undoing what is told by the {repair.intent.named}")
    looked = _look(operation, repair)
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
    story, came = IncidentLog(operation, repair.intent.incident), RoundProgress()
    if dry_run:
        _part(operation, story, repair, looked, came).rehearse()
        return replace(
            as_found,
            result=UndoResult.NEEDS_HUMAN,
            message=f"Dry run: nothing stands in the way of {_rows(plan)}.",
            hint="Run the command without --dry-run to carry it out.",
            on_source=came.on_source,
        )
    if not confirm(plan):
        return replace(as_found, result=UndoResult.NEEDS_HUMAN, message="Not confirmed.", hint="Nothing was changed.")
    try:
        _carry_out(operation, story, repair, looked, came)
    except NotVerified as error:
        return replace(
            as_found,
            result=UndoResult.FAILED,
            message=error.message,
            hint=error.hint,
            audit_ids=tuple(story.ids),
            on_source=came.on_source,
        )
    return replace(
        as_found,
        result=UndoResult.UNDONE,
        message=_done(plan),
        hint=_DIFFERS if plan.steps else "",
        audit_ids=tuple(story.ids),
        on_source=came.on_source,
    )


_DIFFERS = "The replica differs from its source in these rows again: it may stop on them later."


def _rows(plan: Plan) -> str:
    there = counted(len(plan.on_source.steps), "row") + " on the source" if plan.on_source is not None else ""
    here = counted(len(plan.steps), "row") + (" on the replica" if there else "") if plan.steps else ""
    return " and ".join(filter(None, (there, here)))


def _done(plan: Plan) -> str:
    here = f"{counted(len(plan.steps), 'row')} brought back to what stood there before the repair."
    if plan.on_source is None:
        return here
    there = f"{counted(len(plan.on_source.steps), 'row')} taken back on the source, seen there and on the replica."
    return f"{there} {here if plan.steps else 'On the replica the displaced rows do not come back: the audit trail has them.'}"


def _look(operation: Operation, repair: Repaired) -> _Looked:
    """Everything anew: the same plan comes of it as long as nothing has changed."""
    replica, document, written = operation.replica, repair.document, repair.on_source
    named = dict.fromkeys((*tables_named(document), *(tables_named(written) if written is not None else ())))
    tables = {name: replica.table(name) for name in named}
    repair_plan = read_plan(document, tables)
    ours = as_recorded(tables, repair_plan.steps)
    events = _events(replica, ours)
    plan = inverse(repair_plan, ours, row_events=bool(events.raw.format_description))
    if written is None:
        return _Looked(repair_plan, plan, ours, events, _reasons(replica, plan, ours, ()))
    if blind := _blind(replica):
        return _Looked(repair_plan, plan, ours, events, blind)
    half = source_half(operation, plan, written, ours)
    lost = _taken_by_the_source(half) or _reasons(replica, plan, ours, half.mirrored)
    plan = also_on_source(
        plan,
        half.part,
        half.tables,
        lost=lost,
        fired=fired(written),
        kept_in=repair.intent.id,
        delay_seconds=half.channel.delay_seconds,
    )
    return _Looked(repair_plan, plan, ours, events, half.in_the_way, half)


def _taken_by_the_source(half: SourceUndo) -> tuple[str, ...]:
    """A row of the source was written over, or taken out, because it stood where a displaced row was to be."""
    if all(step.target is None for step in half.part.steps):
        return ()
    return ("The rows that the source gets back have their places.",)


def _part(
    operation: Operation, story: IncidentLog, repair: Repaired, looked: _Looked, came: RoundProgress
) -> SourceWriter:
    def check(_: object) -> None:
        now = _look(operation, repair)
        changed = " ".join(now.in_the_way[:3]) or replanned(looked.plan, now.plan)
        if changed:
            raise Stale(f"While the undo was carried out, things changed: {changed}", "Nothing was changed.")

    half = looked.source

    def source() -> Server:
        assert half is not None
        return operation.source_of(half.channel)

    return SourceWriter(operation, story, looked.plan, came, source, half.tables if half is not None else {}, check)


def _same_server(replica: Replica, document: Mapping[str, object]) -> None:
    there, here = document.get("server_uuid"), replica.uuid()
    if there != here:
        raise Refused(
            f"The repair was made on the server {there}, and {replica.address} is {here}.",
            "Nothing was changed. Name the replica that was repaired: --replica URL.",
        )


def _blind(replica: Replica) -> tuple[str, ...]:
    if blind := replica.granted().blind_spots:
        return (
            f"The account lacks {' and '.join(blind)} ON *.*, without which the replica hides triggers and foreign keys that "
            "an undo could set off. 'replfix doctor' names the GRANT.",
        )
    return ()


def _reasons(replica: Replica, plan: Plan, tables: dict[TableName, Table], before: tuple[Step, ...]) -> tuple[str, ...]:
    """Why nothing comes back on the replica, once the steps ``before`` have come there. ``tables`` gains those of parents and
    children."""
    if blind := _blind(replica):
        return blind
    effects = tuple(reason for step in plan.steps if (reason := side_effect(step, tables[step.table], plan.row_events)))
    if effects:
        return effects
    steps = (*before, *plan.steps)
    bereaved = tuple(_without_parent(replica, plan, tables, steps))
    try:
        children = referencing(replica, tables, released_keys(steps, tables))
    except Refused as error:
        return (error.message,)
    return (
        *in_the_way(plan.steps, tables, replica.find(tables, questions(plan.steps, tables)), before),
        *orphaned(steps, children, tables),
        *bereaved,
    )


def _without_parent(
    replica: Replica, plan: Plan, tables: dict[TableName, Table], steps: tuple[Step, ...]
) -> Iterator[str]:
    """Rows that would come back to no parent. Where a step writes parents, the rehearsal tells."""
    going = {(step.table, step.current) for step in steps}
    written = {step.table for step in steps if step.target is not None}
    for step, key, lookup in parents_wanted(plan.steps, tables):
        if key.parent not in tables and (parent := replica.table(key.parent)) is not None:
            tables[key.parent] = parent
        if key.parent in written or key.parent not in tables:
            continue
        if all((key.parent, row) in going for row in replica.find(tables, (lookup,))[lookup]):
            yield (
                f"A row cannot come back to {step.table}: it references {key.parent} ({lookup}) by {key.name}, and there is no such row."
            )


def _events(replica: Replica, tables: Mapping[TableName, Table]) -> Transaction:
    """In whose likeness row events are made: a transaction of the replica's own log, without a change. Its format
    description is empty where rows have to be written by statements."""
    description = b""
    if not any(replica.not_as_events(table) for table in tables.values()):
        with suppress(ReplicationError):  # it keeps no binlog
            description = replica.format_description()
    return Transaction(None, "", 0, 0, datetime.now(UTC), 0, None, (), {}, RawEvents(description, ()))


class _RolledBack(Exception):
    """The end of a rehearsal."""


def _carry_out(
    operation: Operation, story: IncidentLog, repair: Repaired, looked: _Looked, came: RoundProgress
) -> None:
    plan, tables = looked.plan, looked.tables
    part = _part(operation, story, repair, looked, came)
    with ExitStack() as shielded, operation.replica.repair(plan.channel) as session:
        still_to_undo(operation.trail, repair)  # now that nobody else can
        there = () if plan.on_source is None else (on_source_document(plan.on_source),)
        operation.trail.check_room(_payload(repair.intent, plan), *there)
        part.rehearse()
        try:
            with writable(story, plan, session) if plan.steps else nullcontext():
                if plan.steps:
                    operation.progress("Rehearsing the undo on the replica (everything is rolled back)")
                    _rehearse(session, looked)
                shielded.enter_context(operation.shield())
                came.audit_id = story.tell(RecordKind.INTENT, plan.channel, _payload(repair.intent, plan))
                _on_source(part, came, to_follow=bool(plan.steps))
                if plan.steps:
                    operation.progress(f"Undoing {counted(len(plan.steps), 'step')} in one transaction, not logged")
                    carry_out_guarded(
                        lambda guard: session.apply(plan, looked.events, tables, guard),
                        lambda: _still_there(operation.replica, plan, tables),
                        came,
                    )
            _verify(operation.replica, plan, tables)
        except BaseException as error:
            if came.audit_id is not None:
                story.end(plan, _result(plan, came), str(error), came.on_source, repair.intent.id)
            if isinstance(error, ReplfixError) and not isinstance(error, NotVerified):
                if came.applied:
                    raise NotVerified(f"The undo was carried out; then: {error.message}", error.hint) from None
                if came.on_source in (SourceWriteResult.WRITTEN, SourceWriteResult.SEEN):
                    raise NotVerified(f"{_HALF}{error.message}", f"{error.hint} {_GO_ON}".strip()) from None
            raise
        came.verified = True
        story.end(plan, _result(plan, came), "", came.on_source, repair.intent.id)


_HALF = "What the repair wrote on the source is taken back, and on the replica nothing is undone: "
_GO_ON = "The same command goes on with the rest."


def _on_source(part: SourceWriter, came: RoundProgress, *, to_follow: bool) -> None:
    """Before the replica's rows: it is in their places that what was written there stands."""
    if (failed := part.write()) is not None:
        raise failed
    try:
        part.see()
    except NotVerified as error:
        raise NotVerified(error.message, f"{error.hint} {_GO_ON}" if to_follow else error.hint) from None
    if came.on_source is SourceWriteResult.WRITTEN:
        raise NotVerified(
            "What the repair wrote on the source is taken back there; the channel stopped before the replica got that.",
            f"'replfix diagnose' shows why. {_GO_ON if to_follow else ''}".rstrip(),
        )


def _rehearse(session: Repair, looked: _Looked) -> None:
    def stop() -> None:
        raise _RolledBack

    try:
        session.apply(looked.rehearsed, looked.events, looked.tables, stop)
    except _RolledBack:
        return


def _verify(replica: Replica, plan: Plan, tables: Mapping[TableName, Table]) -> None:
    """What is on the source was looked at before, there and here."""
    if not plan.steps:
        return
    stands = standing(plan, tables, replica.find(tables, standing_questions(plan.steps, tables)))
    if stands is not RepairState.AFTER:
        raise NotVerified(
            f"The undo was committed, but its rows are {stands.value}: somebody, or the applier, changed them right after.",
            "A SELECT shows how they stand; what was there before is in the audit trail.",
        )


def _still_there(replica: Replica, plan: Plan, tables: Mapping[TableName, Table]) -> None:
    if (now := replica.uuid()) != plan.server_uuid:
        raise Stale(f"The server is {now} now, not {plan.server_uuid}.", "Nothing was changed: it was rolled back.")
    if changed := redefined(tables, {name: replica.table(name) for name in tables}):
        raise Stale(
            f"While the undo was carried out, things changed: {changed}.", "Nothing was changed: it was rolled back."
        )


def _payload(intent: AuditRecord, plan: Plan) -> dict[str, object]:
    undo = [step.undo_sql for step in reversed(plan.steps)]
    return {
        "undoes": intent.id,
        "plan": to_document(plan),
        "digest": plan.digest,
        "undo": [*sql.UNDO_SETTINGS, *undo] if undo else [],
    }


def _result(plan: Plan, came: RoundProgress) -> str:
    if came.unknown or came.on_source is SourceWriteResult.UNKNOWN:
        return "unknown"
    if came.applied:
        return UNDONE
    if came.on_source in (SourceWriteResult.WRITTEN, SourceWriteResult.SEEN):
        return UNDONE_ON_SOURCE if plan.steps else UNDONE
    return "not undone"
