"""PostgreSQL: two rows overlap where an exclusion constraint forbids that (23P01)."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.duplicate import Kind
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "exclusion-overlap"


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if duplicate.kind is not Kind.EXCLUSION:
        return None
    evidence = [
        "SQLSTATE 23P01: the values need not be equal, only conflict as the constraint defines it (usually: overlap)."
    ]
    if duplicate.value is not None and duplicate.detail:
        evidence.append(f"The new row has ({duplicate.value}); an existing one has {duplicate.detail}.")
    return Cause(
        CODE,
        Confidence.HIGH,
        "The new row overlaps an existing one, and an exclusion constraint forbids that.",
        tuple(evidence),
        (
            Fix("See what the constraint compares:", (sql.postgresql_constraint(duplicate.key),)),
            Fix(
                "Take the error as the answer: the time or range is taken. ON CONFLICT DO NOTHING leaves the row out; ON CONFLICT DO UPDATE cannot be used with an exclusion constraint."
            ),
        ),
    )
