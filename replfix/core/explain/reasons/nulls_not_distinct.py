"""PostgreSQL 15 and later: the key treats NULL as a value like any other, and a row without a value is there."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "nulls-not-distinct"


def examine(case: Case) -> Cause | None:
    place = case.postgresql_place
    reading = place.found if place else None
    if place is None or reading is None or not place.key.nulls_not_distinct:
        return None
    keyed = {part.column for part in place.key.parts}
    empty = [cell.column for cell in reading.rows[0] if cell.column in keyed and cell.text is None]
    if not empty:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The key is NULLS NOT DISTINCT: NULL counts as a value, and only one row may have it.",
        (f"The row that is there has NULL in {', '.join(empty)}, and so has the new one.",),
        (
            Fix(
                "If rows without a value may repeat: make the key again without NULLS NOT DISTINCT. Create the new unique index "
                "CONCURRENTLY before the old one is dropped, so that the key is never missing."
            ),
        ),
    )
