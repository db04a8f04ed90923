"""The key is over an expression: different values come to the same."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "expression-key"


def examine(case: Case) -> Cause | None:
    expressions = _expressions(case)
    if not expressions:
        return None
    return Cause(
        CODE,
        Confidence.MEDIUM,
        "The key is over an expression: the message shows its result, not what was inserted.",
        tuple(f"The key {name} is over {expression}." for name, expression in expressions),
        (Fix("Compare the expression of the new row with that of the existing row, not the columns themselves."),),
    )


def _expressions(case: Case) -> list[tuple[str, str]]:
    """Return each expression with the name of its key."""
    if (place := case.place) is not None:
        return [(place.key.name, part.expression) for part in place.key.parts if part.expression]
    if (asked := case.postgresql_place) is not None:
        return [(asked.key.name, part.expression) for part in asked.key.parts if part.column is None]
    return []
