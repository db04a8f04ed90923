"""A column that will take no more ids soon."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core import sql
from replfix.core.advisor.head_room import HeadRoom, head_rooms
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import writers
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.remedies.remedy import Fix

CODE = "head-room"

_USED = {Severity.CRITICAL: 0.98, Severity.WARNING: 0.8}
_DAYS = {Severity.CRITICAL: 30, Severity.WARNING: 365}
"""Of the earliest day on which it can be full."""


def examine(survey: Survey) -> Iterator[Finding]:
    for room in head_rooms(survey):
        severity = _severity(room)
        if severity is None:
            continue
        column = room.counter.column
        widest = room.limit >= 2**63 - 1 and (column.unsigned or room.used < 0.5)
        yield Finding(
            CODE,
            severity,
            f"{room.table}.{column.name} ({column.column_type}) cannot take more rows: it has reached {room.limit:,}."
            if not room.left
            else f"{room.table}.{column.name} ({column.column_type}) has {room.left:,} of {room.limit:,} ids left"
            f"{_until(room)}.",
            table=room.table,
            evidence=(f"{room.used:.1%} of the ids are used; the highest is {room.reached:,}.", in_words(room)),
            fixes=() if widest else _fixes(survey, room),
        )


def _fixes(survey: Survey, room: HeadRoom) -> tuple[Fix, ...]:
    """Of servers that write, one is enough: the others get it from there."""
    first = Fix("columns that reference it have to be widened first")
    top = (node for node in survey.nodes if not node.read_only and not node.channels)
    at = next((node for node in (*writers(survey), *top) if room.table in node.tables), None)
    widen = sql.widen_counter(room.table, room.counter.column)
    if at is None:
        return (first, Fix(f"on the server that is written to: {widen}"))
    return (first, Fix(sql=(widen,), where=at.name))


def by_use(room: HeadRoom) -> Severity | None:
    """Return the severity for the used part of the numbers, whatever the growth."""
    return next((severity for severity, used in _USED.items() if room.used >= used), None)


def _severity(room: HeadRoom) -> Severity | None:
    for severity in (Severity.CRITICAL, Severity.WARNING):
        if room.used >= _USED[severity] or (room.days is not None and room.days[0] < _DAYS[severity]):
            return severity
    return None


def _until(room: HeadRoom) -> str:
    if room.days is None:
        return ""
    earliest, latest = room.days
    return f", enough for {earliest:,.0f} days" + ("" if latest is None else f" to {latest:,.0f} days")


def in_words(room: HeadRoom) -> str:
    """Return how fast its ids are used, and how sure that is."""
    if room.per_day is None:
        what = "no rows of it are in the binary logs" if not room.rows else "the binary logs have too little of it"
        return f"How fast they are used is unknown: {what}."
    low, high = room.per_day
    assert room.span is not None
    return (
        f"{low:,.0f} to {high:,.0f} ids a day are used, as {room.rows:,} rows in {room.span.total_seconds() / 3600:,.0f} hours of "
        "binary logs show."
    )
