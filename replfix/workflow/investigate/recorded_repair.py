"""The trail's record of a repair that is to be undone: its plan, what it wrote on the source, whether it was executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.recorded_plan import Document, writes_on_source
from replfix.core.trail.audit_record import AuditRecord, RecordKind
from replfix.core.trail.intent_result import IntentResult, read_result
from replfix.errors import Refused
from replfix.ports import Trail

ROWS_HINT = (
    "Nothing was changed. 'replfix audit show {}' prints the rows that are kept, in full, and the SQL that writes them."
)


@dataclass(frozen=True, slots=True)
class Repaired:
    """``document``: its plan. ``on_source``: what it wrote there and is not undone yet, with the generated keys."""

    intent: AuditRecord
    document: Document
    on_source: Document | None


def repaired(trail: Trail, record_id: str) -> Repaired:
    """Return the repair that the record belongs to; Refused when it was not executed, or is undone already."""
    record = trail.get(record_id)
    story = list(trail.records(incident=record.incident)) if record.incident else []
    intents = [r for r in story if r.kind == RecordKind.INTENT]
    if record.kind == RecordKind.SETTINGS:  # which come before the intent for which they were changed
        found = next((r for r in intents if r.seq > record.seq), None)
    else:
        found = next((r for r in reversed(intents) if r.seq <= record.seq), None)
    if found is None:
        raise Refused(
            f"The record {record.id} ({record.kind}) belongs to no repair: nothing was executed that could be undone.",
            "'replfix audit list --kind intent' shows the repairs.",
        )
    content = _content(found)
    if content.get("undoes") is not None:
        raise Refused(
            f"The record {record.id} is that of an undo, and an undo cannot be undone.",
            f"'replfix audit show {found.id}' has the SQL that takes it back; 'replfix diagnose' shows the state of the replica.",
        )
    told = _was_carried_out(story, found)
    document = content.get("plan")
    if not isinstance(document, Mapping):
        raise Refused(f"The record {found.id} has no plan.", "'replfix audit verify' shows whether it was altered.")
    return Repaired(found, document, _on_source(story, found, told) if writes_on_source(document) else None)


def still_to_undo(trail: Trail, repair: Repaired) -> None:
    """Refused when somebody has undone it meanwhile."""
    _was_carried_out(list(trail.records(incident=repair.intent.incident)), repair.intent)


def _was_carried_out(story: list[AuditRecord], intent: AuditRecord) -> dict[str, object]:
    """Return what is recorded of its end; Refused when it was not executed, or is undone already."""
    later = [(r, _content(r)) for r in story if r.kind == RecordKind.OUTCOME and r.seq > intent.seq]
    for record, content in later:
        if content.get("undoes") == intent.id and read_result(content.get("result")) is IntentResult.UNDONE:
            raise Refused(
                f"The repair {intent.id} is undone already, since {record.recorded_at[:19]} UTC (record {record.id}).",
                "Nothing was changed.",
            )
    end = _end([content for _, content in later], intent)
    result = read_result(end.get("result"))
    if result is None or not result.committed:
        raise Refused(
            f"The repair {intent.id} cannot be undone: its record says: {end.get('result', 'no outcome is on record')}.",
            ROWS_HINT.format(intent.id),
        )
    return end


def _end(outcomes: list[dict[str, object]], intent: AuditRecord) -> dict[str, object]:
    """After an outcome that leaves it open, a later one of the same repair can say what was found."""
    of_it = [c for c in outcomes if c.get("recovered") == intent.id] or outcomes[:1]
    return of_it[-1] if of_it else {}


def changed_rows(trail: Trail, intent: AuditRecord) -> bool:
    """Return whether that repair, or undo, is known to have changed the replica's rows."""
    outcomes = (
        r for r in trail.records(incident=intent.incident) if r.kind == RecordKind.OUTCOME and r.seq > intent.seq
    )
    result = read_result(_end([_content(record) for record in outcomes], intent).get("result"))
    return result is not None and result.changed_rows


def _on_source(story: list[AuditRecord], intent: AuditRecord, told: dict[str, object]) -> Document | None:
    """Return what was to be written on the source; where it is unknown whether it was, the source's rows show it."""
    if told.get("on_source") == SourceWriteResult.NOT_WRITTEN:
        return None
    outcomes = [_content(r) for r in story if r.kind == RecordKind.OUTCOME and r.seq > intent.seq]
    if any(
        c.get("undoes") == intent.id and read_result(c.get("result")) is IntentResult.UNDONE_ON_SOURCE for c in outcomes
    ):
        return None
    behind = (r for r in story if r.seq > intent.seq and r.kind in (RecordKind.ON_SOURCE, RecordKind.INTENT))
    record = next(behind, None)
    return _content(record) if record is not None and record.kind == RecordKind.ON_SOURCE else None


def _content(record: AuditRecord) -> dict[str, object]:
    if not record.sound:
        raise Refused(
            f"The record {record.id} is not what was written: its hash does not fit.", "Run 'replfix audit verify'."
        )
    try:
        return record.content
    except ValueError as error:
        raise Refused(f"The record {record.id} cannot be read: {error}.", "Run 'replfix audit verify'.") from None
