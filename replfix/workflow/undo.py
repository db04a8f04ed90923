"""A repair taken back on the replica: its inverse, out of the trail, under the same guards as the repair itself."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from replfix.core import sql
from replfix.core.audit_record import AuditRecord, RecordKind
from replfix.core.children import given_up, parents_wanted
from replfix.core.interrupted import Standing, standing
from replfix.core.interrupted import questions as standing_questions
from replfix.core.misfit import redefined
from replfix.core.outcome import OnSourceResult
from replfix.core.plan import Plan, to_document
from replfix.core.recorded import read_plan, tables_named, writes_on_source
from replfix.core.row_event import RawEvents, Transaction
from replfix.core.strategies.source_wins import side_effect
from replfix.core.table import Table, TableName
from replfix.core.undo import in_the_way, inverse, orphaned, questions
from replfix.core.words import counted
from replfix.errors import AuditError, NotVerified, Refused, ReplfixError, ReplicationError, Stale
from replfix.ports import Repair, Replica, Trail
from replfix.workflow.children import referencing
from replfix.workflow.operation import Came, Operation, Story
from replfix.workflow.recover import recover_first
from replfix.workflow.round import carry_out_guarded
from replfix.workflow.settings import writable

Confirm = Callable[[Plan], bool]

_COMMITTED = ("applied and verified", "applied, not verified")
_ROWS_HINT = (
    "Nothing was changed. 'replfix audit show {}' prints the rows that are kept, in full, and the SQL that writes them."
)


class UndoResult(enum.StrEnum):
    UNDONE = "undone"
    NEEDS_HUMAN = "needs_human"
    REFUSED = "refused"
    FAILED = "failed"
    NOTHING_TO_DO = "nothing_to_do"


@dataclass(frozen=True, slots=True)
class Undoing:
    """What became of an undo. ``plan`` is the inverse of the repair that ``undoes`` tells of, the id of its intent."""

    result: UndoResult
    message: str
    hint: str
    undoes: str
    plan: Plan
    in_the_way: tuple[str, ...] = ()
    audit_ids: tuple[str, ...] = ()
    dry_run: bool = False


def intent_of(trail: Trail, record_id: str) -> AuditRecord:
    """The intent of the repair that the record belongs to. Refused when it belongs to none that was carried out."""
    record = trail.get(record_id)
    story = list(trail.records(incident=record.incident)) if record.incident else []
    intents = [r for r in story if r.kind == RecordKind.INTENT]
    if record.kind == RecordKind.SETTINGS:  # which come before the intent for which they were changed
        found = next((r for r in intents if r.seq > record.seq), None)
    else:
        found = next((r for r in reversed(intents) if r.seq <= record.seq), None)
    if found is None:
        raise Refused(
            f"The record {record.id} ({record.kind}) belongs to no repair: nothing was carried out that could be undone.",
            "'replfix audit list --kind intent' shows the repairs.",
        )
    if _content(found).get("undoes") is not None:
        raise Refused(
            f"The record {record.id} is that of an undo, and an undo is not undone.",
            f"'replfix audit show {found.id}' has the SQL that takes it back; 'replfix diagnose' shows how the replica stands.",
        )
    _was_carried_out(story, found)
    return found


def _was_carried_out(story: list[AuditRecord], intent: AuditRecord) -> None:
    for record in story:
        if record.kind != RecordKind.OUTCOME or record.seq < intent.seq:
            continue
        content = _content(record)
        if content.get("undoes") == intent.id and content.get("result") == UndoResult.UNDONE.value:
            raise Refused(
                f"The repair {intent.id} is undone already, since {record.recorded_at[:19]} UTC (record {record.id}).",
                "Nothing was changed.",
            )
    outcome = next((r for r in story if r.kind == RecordKind.OUTCOME and r.seq > intent.seq), None)
    # After an outcome that leaves it open, a later one of the same repair can say what was found.
    said = [_content(r) for r in story if r.kind == RecordKind.OUTCOME and r.seq > intent.seq]
    of_it = [c for c in said if c.get("recovered") == intent.id] or ([_content(outcome)] if outcome is not None else [])
    result = of_it[-1].get("result") if of_it else "no outcome is on record"
    if result not in _COMMITTED:
        raise Refused(
            f"The repair {intent.id} cannot be undone: of it is recorded: {result}.",
            _ROWS_HINT.format(intent.id),
        )


def undo(operation: Operation, record_id: str, *, dry_run: bool, confirm: Confirm) -> Undoing:
    """Take back the repair that the record belongs to, all of its rows or none.

    ``confirm`` is shown the plan before anything is done. A dry run compares and stops. Raises NotDone when nothing was
    changed. It does not matter whether the channel runs: rows are compared and changed under their locks.
    """
    recover_first(operation, finish=not dry_run)
    intent = intent_of(operation.trail, record_id)
    document = _content(intent).get("plan")
    if not isinstance(document, Mapping):
        raise Refused(f"The record {intent.id} holds no plan.", "'replfix audit verify' tells whether it was altered.")
    _not_on_source(operation.trail, intent, document)
    replica, hint = operation.replica, _ROWS_HINT.format(intent.id)
    _same_server(replica, document)
    tables = {name: replica.table(name) for name in tables_named(document)}
    repair_plan = read_plan(document, tables)
    known = {name: table for name, table in tables.items() if table is not None}
    events = _events(replica, known)
    plan = inverse(repair_plan, known, row_events=bool(events.raw.format_description))
    as_found = Undoing(UndoResult.NOTHING_TO_DO, "", "", intent.id, plan, dry_run=dry_run)
    if not plan.steps:
        return replace(as_found, message="That repair changed no row: there is nothing to undo.")
    reasons = _reasons(replica, plan, known)
    if reasons:
        return replace(
            as_found, result=UndoResult.REFUSED, message=" ".join(reasons[:3]), hint=hint, in_the_way=reasons
        )
    if dry_run:
        return replace(
            as_found,
            result=UndoResult.NEEDS_HUMAN,
            message=f"Dry run: nothing stands in the way of {counted(len(plan.steps), 'row')}.",
            hint="Run the command without --dry-run to carry it out.",
        )
    if not confirm(plan):
        return replace(as_found, result=UndoResult.NEEDS_HUMAN, message="Not confirmed.", hint="Nothing was changed.")
    story, came = Story(operation, intent.incident), Came()
    try:
        _carry_out(operation, story, intent, plan, events, known, came)
    except NotVerified as error:
        return replace(
            as_found, result=UndoResult.FAILED, message=error.message, hint=error.hint, audit_ids=tuple(story.ids)
        )
    return replace(
        as_found,
        result=UndoResult.UNDONE,
        message=f"{counted(len(plan.steps), 'row')} brought back to what stood there before the repair.",
        hint="The replica differs from its source in these rows again: it may stop on them later.",
        audit_ids=tuple(story.ids),
    )


def _not_on_source(trail: Trail, intent: AuditRecord, document: Mapping[str, object]) -> None:
    """What a repair wrote on the source went to every replica: it is not taken back on one of them."""
    if not writes_on_source(document):
        return
    story = [r for r in trail.records(incident=intent.incident) if r.seq > intent.seq]
    told = [_content(r).get("on_source") for r in story if r.kind == RecordKind.OUTCOME]
    if told and told[-1] == OnSourceResult.NOT_WRITTEN:
        return
    record = next((r for r in story if r.kind == RecordKind.ON_SOURCE), None)
    raise Refused(
        f"The repair {intent.id} also wrote on the source, from where it went to every replica: taken back on this one alone, it "
        "would differ from all the others.",
        "Nothing was changed. "
        + (
            f"'replfix audit show {record.id}' has the SQL that takes it back on the source; then it comes here by replication."
            if record is not None
            else f"'replfix audit show {intent.id}' has what was planned."
        ),
    )


def _same_server(replica: Replica, document: Mapping[str, object]) -> None:
    there, here = document.get("server_uuid"), replica.uuid()
    if there != here:
        raise Refused(
            f"The repair was made on the server {there}, and {replica.address} is {here}.",
            "Nothing was changed. Name the replica that was repaired: --replica URL.",
        )


def _reasons(replica: Replica, plan: Plan, tables: dict[TableName, Table]) -> tuple[str, ...]:
    """Why it is not undone. ``tables`` gains those of parents and children."""
    if blind := replica.granted().blind_spots:
        return (
            f"The account lacks {' and '.join(blind)} ON *.*, without which the replica hides triggers and foreign keys that "
            "an undo could set off. 'replfix doctor' names the GRANT.",
        )
    effects = tuple(reason for step in plan.steps if (reason := side_effect(step, tables[step.table], plan.row_events)))
    if effects:
        return effects
    for _, key, _ in parents_wanted(plan.steps, tables):
        if key.parent not in tables and (parent := replica.table(key.parent)) is not None:
            tables[key.parent] = parent
    try:
        children = referencing(replica, tables, given_up(plan.steps, tables))
    except Refused as error:
        return (error.message,)
    return (
        *in_the_way(plan, tables, replica.find(tables, questions(plan, tables))),
        *orphaned(plan, children),
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
    operation: Operation,
    story: Story,
    intent: AuditRecord,
    plan: Plan,
    events: Transaction,
    tables: Mapping[TableName, Table],
    came: Came,
) -> None:
    with ExitStack() as shielded, operation.replica.repair(plan.channel) as repair:
        _was_carried_out(list(operation.trail.records(incident=intent.incident)), intent)  # now that nobody else can
        try:
            with writable(story, plan, repair):
                operation.progress("Rehearsing the undo on the replica (everything is rolled back)")
                _rehearse(repair, plan, events, tables)
                shielded.enter_context(operation.shield())
                came.audit_id = story.tell(RecordKind.INTENT, plan.channel, _payload(intent, plan))
                operation.progress(f"Undoing {counted(len(plan.steps), 'step')} in one transaction, not logged")
                carry_out_guarded(
                    lambda guard: repair.apply(plan, events, tables, guard),
                    lambda: _still_there(operation.replica, plan, tables),
                    came,
                )
            _verify(operation.replica, plan, tables)
        except BaseException as error:
            if came.audit_id is not None:
                result = "unknown" if came.unknown else "undone" if came.applied else "not undone"
                _tell_outcome(story, intent, plan, result, str(error))
            if came.applied and isinstance(error, ReplfixError) and not isinstance(error, NotVerified):
                raise NotVerified(f"The undo was carried out; then: {error.message}", error.hint) from None
            raise
        _tell_outcome(story, intent, plan, UndoResult.UNDONE.value, "")


def _rehearse(repair: Repair, plan: Plan, events: Transaction, tables: Mapping[TableName, Table]) -> None:
    def stop() -> None:
        raise _RolledBack

    try:
        repair.apply(plan, events, tables, stop)
    except _RolledBack:
        return


def _verify(replica: Replica, plan: Plan, tables: Mapping[TableName, Table]) -> None:
    stands = standing(plan, tables, replica.find(tables, standing_questions(plan.steps, tables)))
    if stands is not Standing.AFTER:
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
    return {
        "undoes": intent.id,
        "plan": to_document(plan),
        "digest": plan.digest,
        "undo": [*sql.UNDO_SETTINGS, *(step.undo_sql for step in reversed(plan.steps))],
    }


def _tell_outcome(story: Story, intent: AuditRecord, plan: Plan, result: str, detail: str) -> None:
    payload: dict[str, object] = {
        "undoes": intent.id,
        "digest": plan.digest,
        "gtid": plan.transaction.gtid,
        "result": result,
        "detail": detail,
    }
    try:
        story.tell(RecordKind.OUTCOME, plan.channel, payload)
    except AuditError as error:
        raise NotVerified(
            f"The outcome ({result}) could not be recorded: {error.message}",
            f"{error.hint} The intent is on record: 'replfix recover' finds out what became of it.",
        ) from None


def _content(record: AuditRecord) -> dict[str, object]:
    if not record.sound:
        raise Refused(
            f"The record {record.id} is not what was written: its hash does not fit.", "Run 'replfix audit verify'."
        )
    try:
        return record.content
    except ValueError as error:
        raise Refused(f"The record {record.id} cannot be read: {error}.", "Run 'replfix audit verify'.") from None
