"""PostgreSQL: the constraint is checked later than the statement runs."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "deferred-constraint"


def examine(case: Case) -> Cause | None:
    place = case.postgresql_place
    if place is None or not place.key.deferrable:
        return None
    key = place.key
    if not key.initially_deferred:
        return Cause(
            CODE,
            Confidence.LOW,
            "The constraint can be deferred: where SET CONSTRAINTS did so, the statement that failed is not the one that wrote the value.",
            (f"{key.name} is DEFERRABLE INITIALLY IMMEDIATE.",),
            (Fix("Look for SET CONSTRAINTS in what the transaction did before."),),
        )
    return Cause(
        CODE,
        Confidence.MEDIUM,
        "The constraint is checked at COMMIT: the statement that wrote the value came earlier in the transaction.",
        (f"{key.name} is DEFERRABLE INITIALLY DEFERRED.",),
        (
            Fix(
                "At the beginning of the transaction, this lets the statement itself fail:",
                (f"SET CONSTRAINTS {sql.postgresql_qualified(key.schema, key.name)} IMMEDIATE",),
            ),
        ),
    )
