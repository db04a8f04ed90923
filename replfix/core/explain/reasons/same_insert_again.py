"""The row that is there is the row that was to be inserted: the same insert ran before."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.compare import Likeness, compare
from replfix.core.explain.explanation import Case
from replfix.core.explain.reasons.postgresql import postgresql_rows
from replfix.core.remedies.remedy import Fix

CODE = "same-insert-again"


def examine(case: Case) -> Cause | None:
    if case.postgresql is not None:
        return postgresql_rows.same_insert_again(case, CODE)
    place = case.place
    reading = place.found if place else None
    if place is None or reading is None or case.insert is None:
        return None
    likeness = compare(place.table, place.key, reading.rows[0], case.insert)
    if likeness is None or likeness.differing or not likeness.equal:
        return None
    return Cause(
        CODE,
        Confidence.MEDIUM if likeness.but_for_times else Confidence.HIGH,
        "The same insert ran before: a retry after a lost answer, a double submit, a message delivered twice.",
        _evidence(likeness),
        (
            Fix("The row is there and right: the application can take this error as success."),
            Fix(
                "Make the insert repeatable: the same idempotency key on every retry, in a unique key of its own; on a collision "
                "in that key read the row, and compare it. INSERT IGNORE also turns every other error into a warning."
            ),
        ),
    )


def _evidence(likeness: Likeness) -> tuple[str, ...]:
    equal = (
        f"The row that is there has the values that the statement gives, beside the key: {', '.join(likeness.equal)}."
    )
    if likeness.but_for_times:
        return (equal, f"Only times differ: {', '.join(likeness.but_for_times)}.")
    return (equal,)
