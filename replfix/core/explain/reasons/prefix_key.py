"""The key has only the beginning of a column, and two values begin alike."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "prefix-key"


def examine(case: Case) -> Cause | None:
    place = case.place
    reading = place.found if place else None
    if place is None or reading is None:
        return None
    evidence = []
    for part in place.key.parts:
        if part.column is None or part.prefix is None:
            continue
        value = reading.rows[0][place.table.column(part.column).ordinal]
        if isinstance(value, str | bytes) and len(value) > part.prefix:
            unit = "characters" if isinstance(value, str) else "bytes"
            evidence.append(
                f"The key has the first {part.prefix} {unit} of {part.column}; the row's value has {len(value)}, so the "
                "values can differ after that."
            )
    if not evidence:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The key is on the beginning of a column only: values that begin alike are duplicates for it.",
        tuple(evidence),
        (
            Fix(
                "Recreate the key over the whole column, if its longest value fits (3072 bytes in InnoDB); else put a hash of it "
                "into a generated column and make that unique.",
                (sql.key_over_whole_columns(place.table, place.key),),
            ),
        ),
    )
