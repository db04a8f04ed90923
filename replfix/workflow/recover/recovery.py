"""What an interrupted run left, put right before anything else is written: settings, and intents without an outcome."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.reconcile import final_rows, not_as_final
from replfix.core.plan.interrupted_repair import (
    Found,
    questions,
    repair_found,
    source_found,
    standing,
    undo_found,
    verified_before,
)
from replfix.core.plan.left_changed import not_by_that_run
from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.plan import ApplyMode, Plan, in_words
from replfix.core.plan.recorded_plan import as_recorded, read_plan, read_steps, tables_named, writes_on_source
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState
from replfix.core.trail.audit_record import AuditRecord, RecordKind
from replfix.core.trail.intent_result import IntentResult
from replfix.core.words import shortened
from replfix.errors import AuditError, Busy, Refused, ReplfixError, Unexpected
from replfix.ports import Repair, Replica, Trail
from replfix.workflow.apply.close_gap import end_gap
from replfix.workflow.apply.resume_applier import start_again, wait_until_stopped
from replfix.workflow.apply.start_channel import feed_applier
from replfix.workflow.investigate.ahead.read_run import read_run
from replfix.workflow.investigate.compare_rows import definitions_of
from replfix.workflow.operation import Operation
from replfix.workflow.recover.trusted_record import check_whole

_GOES_ON = "'replfix resolve' goes on: it finds nothing in the way any more, starts the channel and verifies."


@dataclass(frozen=True, slots=True)
class Recovered:
    """One thing that was put right. ``told_by``: the record from which it is known; ``audit_id``: the one that ends it."""

    told_by: AuditRecord
    audit_id: str
    message: str
    next: str = ""

    @property
    def channel(self) -> str:
        """The channel that it is about."""
        return self.told_by.channel


def leftovers(trail: Trail, server_uuid: str) -> list[AuditRecord]:
    """Return the records of settings of that server that an interrupted run changed and did not put back."""
    return [record for record in trail.open_settings() if server_of(record) == server_uuid]


def unended(trail: Trail, server_uuid: str) -> list[AuditRecord]:
    """Return the intents for that server of which it is unknown what became."""
    return [record for record in trail.open_intents() if server_of(record) == server_uuid]


def server_of(record: AuditRecord) -> object:
    """Return the server_uuid that a record of settings or of an intent is about."""
    content = _content(record)
    plan = content.get("plan")
    return plan.get("server_uuid") if isinstance(plan, dict) else content.get("server_uuid")


def recover(operation: Operation) -> Iterator[Recovered]:
    """Put settings back, find out what became of every intent, and start a channel that the run was about to start.

    One by one. Busy when a run that is still at work holds the channel's lock: then nothing was left yet.
    """
    return _recovered(operation, finish=True, skip_busy=False)


def recover_first(operation: Operation, *, finish: bool = True) -> None:
    """Recover before something else is written, but for what a run that is still at work has locked.

    Without ``finish`` no channel is started: for a dry run.
    """
    for done in _recovered(operation, finish=finish, skip_busy=True):
        operation.progress(" ".join(filter(None, (done.message, done.next))))


def _recovered(operation: Operation, *, finish: bool, skip_busy: bool) -> Iterator[Recovered]:
    server_uuid, trail = operation.replica.uuid(), operation.trail
    if leftovers(trail, server_uuid) or unended(trail, server_uuid):
        check_whole(trail)
    for found in leftovers(trail, server_uuid):
        try:
            with operation.replica.repair(found.channel) as repair, repair.alone():
                # Looked up again: the run that held the channel's lock until now may have put it back itself.
                if found.id in {record.id for record in leftovers(trail, server_uuid)}:
                    with _nothing_unexpected():
                        put_back = _put_back(operation, found, repair)
                    yield put_back
        except Busy:
            if not skip_busy:
                raise
    for found in unended(trail, server_uuid):
        try:
            with operation.replica.repair(found.channel):
                if found.id in {record.id for record in unended(trail, server_uuid)}:
                    with _nothing_unexpected():
                        ended = (_end_gap if "gap" in _content(found) else _end)(operation, found, finish)
                    if ended is not None:
                        yield ended
        except Busy:
            if not skip_busy:
                raise


@contextmanager
def _nothing_unexpected() -> Iterator[None]:
    """Raise Unexpected for any error but replfix's own: here servers are changed for what is on record already."""
    try:
        yield
    except ReplfixError:
        raise
    except Exception as error:
        raise Unexpected(error) from error


def _put_back(operation: Operation, record: AuditRecord, repair: Repair) -> Recovered:
    variables = _content(record).get("variables")
    values = {str(name): str(value) for name, value in variables.items()} if isinstance(variables, dict) else {}
    operation.progress(f"Putting back what an interrupted run left changed: {', '.join(values)} ({record.named})")
    kept = {name: why for name in values if (why := _not_by_that_run(record, name, repair))}
    done = repair.put_back({name: value for name, value in values.items() if name not in kept})
    said, further = f"Nothing that a run changes was left changed ({record.named}): nothing was done.", ""
    if done:
        said = f"Put back what an interrupted run left changed: {', '.join(done)} ({record.named})."
    elif kept:
        said = f"Nothing was put back ({record.named}): {'; '.join(kept.values())}."
        further = f"Only if it is to be on: {'; '.join(f'SET GLOBAL {name} = ON' for name in kept)}."
    payload = {**record.content, **({"not_put_back": kept} if kept else {})}
    ended = _tell(operation, RecordKind.SETTINGS_RESTORED, record, payload)
    return Recovered(record, ended, said, further)


def _not_by_that_run(record: AuditRecord, name: str, repair: Repair) -> str:
    now = repair.setting(name)
    if now is None:
        return ""
    said = record.content.get("server_time")
    try:
        server_time = datetime.fromisoformat(said) if isinstance(said, str) else None
        return not_by_that_run(name, now, datetime.fromisoformat(record.recorded_at), server_time)
    except (ValueError, TypeError, OverflowError):
        return f"the record does not say when {name} was switched off"


def _end(operation: Operation, record: AuditRecord, finish: bool) -> Recovered:
    """Find out what became of an intent, do what was left to do, and record it.

    The record comes last: a run that is killed here has to leave the intent open.
    """
    operation.progress(f"Finding out what became of the intent {record.id} of {record.recorded_at[:19]}")
    document = _plan_document(record)
    hint, on_source = "", None
    of = record.content.get("undoes")
    told = _told_of_source(operation.trail, record)
    try:
        found, plan, channel, on_source = _look(operation, record, told)
    except Refused as error:
        found = Found(IntentResult.UNEXPLAINED, error.message)
        if writes_on_source(document):
            on_source = _look_on_source(operation, record, told, None)
    else:
        if channel is not None and of is None:
            hint = _left_to_do(operation, plan, found, finish)
        elif found.result is IntentResult.UNDONE_ON_SOURCE:
            hint = f"'replfix undo {of}' goes on with the rows of the replica."
        hint = f"{hint} {_receiver_now(plan, operation.replica.status().channel(plan.channel))}".strip()
    payload: dict[str, object] = {
        "digest": record.content.get("digest"),
        "gtid": document.get("gtid"),
        "result": found.result.value,
        "detail": found.how,
        "recovered": record.id,
    }
    if of is not None:
        payload["undoes"] = of
    source_part = ""
    if on_source is not None:
        payload["on_source"], source_part = on_source[0].value, on_source[1]
    ended = _tell(operation, RecordKind.OUTCOME, record, payload)
    message = f"{_interrupted(record, found)}{source_part}"
    return Recovered(record, ended, message, hint)


def _end_gap(operation: Operation, record: AuditRecord, finish: bool) -> Recovered | None:
    """Find out how far the replica came that was to apply what precedes the failing transaction.

    None where that has to wait for a run that finishes it.
    """
    plan = read_plan(_plan_document(record), {})
    operation.progress(f"Looking how far the replica came before {plan.transaction}: intent {record.id}")
    ended = end_gap(operation, plan, finish=finish)
    if ended is None:
        operation.progress(
            "The channel is stopped there without an error: 'replfix recover' starts it again, a dry run does not"
        )
        return None
    found, done = ended
    payload: dict[str, object] = {
        "digest": record.content.get("digest"),
        "gtid": plan.transaction.gtid,
        "result": found.result.value,
        "detail": found.how,
        "recovered": record.id,
    }
    told = _tell(operation, RecordKind.OUTCOME, record, payload)
    said = _interrupted(record, found)
    return Recovered(record, told, said, done)


def _interrupted(record: AuditRecord, found: Found) -> str:
    said = f"The run that recorded the intent {record.id} was interrupted: {found.result.value}. {found.how}".strip()
    return f"{said} (Told by the {record.named}.)"


def _left_to_do(operation: Operation, plan: Plan, found: Found, finish: bool) -> str:
    """Return what is left to do, in words; what ``finish`` allows is done."""
    status = operation.replica.status()
    now = status.channel(plan.channel)
    if now is None or now.applier_running:
        return ""
    if found.result.committed and not status.has_applied(now, plan.last):
        return _GOES_ON
    if status.has_applied(now, plan.last) and (now.failure is None or plan.way is not ApplyMode.APPLY):
        # Stopped where the run let it stop (UNTIL): to start it is the rest of what was confirmed.
        if not finish:
            return "The channel can continue after that transaction: START REPLICA."
        if not status.stands_behind(now, plan.last):
            return (
                f"The channel was not started: the replica does not confirm that this run stopped it after {plan.last}. "
                "START REPLICA, if nobody has stopped it on purpose."
            )
        if refused := start_again(operation, plan):
            return f"The channel was not started again. {refused}"
        return "The channel was started, which was all that was left to do."
    return ""


def _receiver_now(plan: Plan, channel: ChannelStatus | None) -> str:
    """Return what a run that was to stop the receiver again has left, in words."""
    if (
        plan.receiver is None
        or not plan.receiver.put_back
        or channel is None
        or channel.receiver is ReceiverState.STOPPED
    ):
        return ""
    return "The receiver, which was stopped by hand before that run, is running now; STOP REPLICA IO_THREAD stops it again."


def _told_of_source(trail: Trail, record: AuditRecord) -> AuditRecord | None:
    """Return the record of what the run was about to commit on the source.

    It is written once the replica's rows have been read and are right.
    """
    story = trail.records(incident=record.incident)
    return next((r for r in story if r.kind == RecordKind.ON_SOURCE and r.seq > record.seq), None)


OnSourceFound = tuple[SourceWriteResult, str]
"""What became of a plan's part there, as its rows show, and in words."""


def _look(
    operation: Operation, record: AuditRecord, told: AuditRecord | None
) -> tuple[Found, Plan, ChannelStatus | None, OnSourceFound | None]:
    """Return what became of an intent, with its plan and channel, and of its part on the source.

    ``told``: what the run was about to commit on the source. That may have changed the rows since.
    """
    replica, document = operation.replica, _plan_document(record)
    tables = {name: replica.table(name) for name in tables_named(document)}
    plan = read_plan(document, tables)
    known = as_recorded(tables, plan.steps)
    status = replica.status()
    channel = status.channel(plan.channel)
    if channel is not None and channel.applier_running and channel.has_end:
        # Up to where the run let it go: looked at earlier, the channel would later be found stopped by nobody.
        feed_applier(operation, plan, channel)
        status = wait_until_stopped(operation, plan)
        channel = status.channel(plan.channel)
    rows = standing(plan, known, replica.find(known, questions(plan.steps, known)))
    on_source = _look_on_source(operation, record, told, channel) if writes_on_source(document) else None
    if record.content.get("undoes") is not None:
        return undo_found(plan, rows, on_source[0] if on_source is not None else None), plan, channel, on_source
    applied = channel is not None and status.has_applied(channel, plan.last)
    begun = channel is not None and plan.run is not None and status.has_applied(channel, plan.transaction)
    if applied and told is not None:
        return verified_before(plan), plan, channel, on_source
    held = applied and channel is not None and not plan.way.leaves_out
    wrong = _not_as_applied(operation, plan, channel) if held and channel is not None else None
    return repair_found(plan, rows, applied=applied, begun=begun, wrong=wrong), plan, channel, on_source


def _look_on_source(
    operation: Operation, record: AuditRecord, told: AuditRecord | None, channel: ChannelStatus | None
) -> OnSourceFound:
    by_hand = (
        f" 'replfix audit show {record.id}' prints the displaced rows, and the SQL for the source."
        if record.content.get("undoes") is None
        else ""
    )
    if told is None:
        return SourceWriteResult.NOT_WRITTEN, f" On the source nothing was written.{by_hand}"
    document = _content(told)
    try:
        if channel is None:
            raise Refused("the replica has no such channel any more.")
        source = operation.source_of(channel)
        if (now := source.uuid()) != document.get("server_uuid"):
            raise Refused(f"the source is {now} now.")
        tables = {name: source.table(name) for name in tables_named(document)}
        steps = read_steps(document, tables)
        known = {name: table for name, table in tables.items() if table is not None}
        with source.writing():  # after a COMMIT of the killed run that is still under way
            found = source_found(steps, known, source.find(known, questions(steps, known)))
    except ReplfixError as error:
        reason = f" Whether its part was written on the source is unknown: {error.message}"
        return SourceWriteResult.UNKNOWN, f"{reason} 'replfix audit show {told.id}' has the rows."
    rows = "; ".join(shortened(tuple(map(in_words, steps)), "row"))
    match found:
        case SourceWriteResult.WRITTEN:
            return found, f" On the source it was written: {rows}."
        case SourceWriteResult.NOT_WRITTEN:
            return found, f" On the source nothing was written: its rows are as before.{by_hand}"
        case _:
            return found, (
                f" Whether it was written on the source is unknown: its rows are neither as before nor as they were to be "
                f"written. 'replfix audit show {told.id}' has them."
            )


def _not_as_applied(operation: Operation, plan: Plan, channel: ChannelStatus) -> tuple[str, ...] | None:
    """Return which rows are not as the transaction leaves them; None when that cannot be looked at."""
    if plan.transaction.gtid is None:
        return None
    try:
        source = operation.source_of(channel)
        transaction = source.transaction(plan.transaction.gtid)
        if plan.run is not None:
            transaction = read_run(source, transaction, plan.run)
        return _rows_that_differ(operation.replica, transaction)
    except ReplfixError as error:
        operation.progress(f"{plan.covers} cannot be compared with the replica's rows: {error.message}")
        return None


def _rows_that_differ(replica: Replica, transaction: Transaction) -> tuple[str, ...] | None:
    defined = definitions_of(replica, transaction)
    tables = defined.tables
    if defined.mismatches:
        return None
    final = final_rows(defined.transaction.changes, tables)
    if any(row.lookup.key is None for row in final):
        return None  # rows without a name: how many there were before is not known any more
    return not_as_final(final, tables, replica.find(tables, tuple(row.lookup for row in final)), {})


def _plan_document(record: AuditRecord) -> dict[str, object]:
    plan = _content(record).get("plan")
    return plan if isinstance(plan, dict) else {}


def _content(record: AuditRecord) -> dict[str, object]:
    try:
        return record.content
    except ValueError as error:
        raise AuditError(
            f"The record {record.id} of an interrupted run cannot be read: {error}.",
            "It was altered: run 'replfix audit verify'.",
        ) from None


def _tell(operation: Operation, kind: RecordKind, about: AuditRecord, payload: dict[str, object]) -> str:
    """Add a record to the incident of the run that was interrupted; return its id."""
    return operation.trail.append(
        kind, incident=about.incident, replica=about.replica, channel=about.channel, payload=payload
    ).id
