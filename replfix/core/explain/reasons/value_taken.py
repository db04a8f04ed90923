"""Another row has the value: the ordinary meaning of the error."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.compare import compare
from replfix.core.explain.explanation import Case
from replfix.core.explain.guide.upsert import upsert_advice
from replfix.core.explain.reasons.postgresql import postgresql_rows
from replfix.core.remedies.remedy import Fix

CODE = "value-taken"


def examine(case: Case) -> Cause | None:
    if case.postgresql is not None:
        return postgresql_rows.value_taken(case, CODE)
    place = case.place
    reading = place.found if place else None
    if place is None or reading is None:
        return None
    evidence = ["A row of the server has the value now."]
    confidence = Confidence.LOW
    if case.insert is not None:
        likeness = compare(place.table, place.key, reading.rows[0], case.insert)
        if likeness is not None and likeness.differing:
            evidence.append(f"It is another row than the statement's: {', '.join(likeness.differing)} differ.")
            confidence = Confidence.MEDIUM
        elif likeness is not None:
            return None  # the same one: same-insert-again
    return Cause(
        CODE,
        confidence,
        "Another row has the value already: two things want the same unique value, or two sessions raced for it.",
        tuple(evidence),
        (
            Fix("Look at the row:", (sql.find_shown(place.table, reading.matches),)),
            Fix(
                "A check before the insert does not help two sessions at once: insert, and take this error as the answer."
            ),
            *upsert_advice(place.table, place.key, generated=place.counter is not None),
        ),
    )
