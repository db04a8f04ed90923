"""What a record is about, in a few values: for lists. The payload is of any replfix that ever wrote one, or was altered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from replfix.core.trail.audit_record import AuditRecord, RecordKind


@dataclass(frozen=True, slots=True)
class RecordSummary:
    """What a plan on record does, and what became of an intent or an undo. None: the record does not have it."""

    strategy: str | None = None
    errno: int | None = None
    tables: tuple[str, ...] = ()
    displaced: int | None = None  # rows of the replica that are deleted or changed
    on_source: int = 0  # rows that are written there
    transactions: int = 1  # that the plan covers
    result: str | None = None  # of an outcome its own, of an intent that of the outcome which followed


def summarize(record: AuditRecord) -> RecordSummary:
    """Return the summary of one record by itself; an empty one where the payload cannot be read."""
    try:
        content = record.content
    except ValueError:
        return RecordSummary()
    result = content.get("result")
    ended = result if isinstance(result, str) else None
    plan = plan_in(content)
    if plan is None:
        return RecordSummary(result=ended)
    steps, there = steps_in(plan), steps_in(plan.get("on_source"))
    left_out = plan.get("left_out")
    rows = left_out.get("rows") if isinstance(left_out, Mapping) else None
    named = (*steps, *there, *(row for row in rows or () if isinstance(row, Mapping)))
    strategy, errno = plan.get("strategy"), plan.get("errno")
    return RecordSummary(
        strategy if isinstance(strategy, str) else None,
        errno if isinstance(errno, int) else None,
        tuple(dict.fromkeys(f"{step.get('schema')}.{step.get('table')}" for step in named)),
        sum(isinstance(step.get("current"), Mapping) for step in steps) if strategy is not None else None,
        len(there) if strategy is not None else len(steps),
        _transactions(plan.get("run")),
        ended,
    )


def _transactions(run: object) -> int:
    said = run.get("transactions") if isinstance(run, Mapping) else None
    return said if isinstance(said, int) else 1


def plan_in(content: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the plan in a payload, or what was written on the source; None for a payload without steps."""
    plan = content.get("plan", content)
    return plan if isinstance(plan, Mapping) and isinstance(plan.get("steps"), list) else None


def steps_in(part: object) -> list[Mapping[str, object]]:
    """Return the steps of a plan, or of its part on the source; none where it has none."""
    steps = part.get("steps") if isinstance(part, Mapping) else None
    return [step for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []


def with_results(newest_first: Iterable[AuditRecord]) -> Iterator[tuple[AuditRecord, str | None]]:
    """Yield each record, and of an intent the result that the last outcome of its plan has; None for none.

    An intent is followed by its outcome, which has the same incident and digest.
    """
    ended: dict[tuple[str, str, object], str] = {}
    for record in newest_first:
        result = None
        if record.kind in (RecordKind.OUTCOME.value, RecordKind.INTENT.value):
            try:
                content = record.content
            except ValueError:
                content = {}
            plan = (record.incident, record.replica, content.get("digest"))
            said = content.get("result")
            if record.kind == RecordKind.INTENT.value:
                result = ended.pop(plan, None)
            elif isinstance(said, str):
                ended.setdefault(plan, said)
        yield record, result
