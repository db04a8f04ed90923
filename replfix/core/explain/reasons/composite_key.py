"""The key has several columns: only together they have to be unique."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Answer, Case
from replfix.core.remedies.remedy import Fix

CODE = "composite-key"


def examine(case: Case) -> Cause | None:
    place = case.place
    if place is None or len(place.key.parts) < 2:
        return None
    names = [part.column or f"({part.expression})" for part in place.key.parts]
    evidence = [f"The key {place.key.name} is on {', '.join(names)} together; the message joins their values with '-'."]
    possible = [r for r in place.readings if r.answer is not Answer.IMPOSSIBLE]
    if len(place.readings) > 1:
        found = sum(bool(r.rows) for r in place.readings)
        evidence.append(
            f"The value can be divided in {len(place.readings)} ways; {len(possible)} fit the columns' types, "
            f"{found} {'is' if found == 1 else 'are'} of a row that is there."
        )
    return Cause(
        CODE,
        Confidence.LOW,
        "No single column is duplicate: the combination of all columns of the key is.",
        tuple(evidence),
        (Fix("Look the row up by all columns of the key; an upsert needs all of them too."),),
    )
