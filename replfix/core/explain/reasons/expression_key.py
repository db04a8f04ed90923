"""The key is over an expression: different values come to the same."""

from __future__ import annotations

from replfix.core.diagnosis.diagnosis import Confidence
from replfix.core.explain.explanation import Case, Fix, Reason

CODE = "expression-key"


def examine(case: Case) -> Reason | None:
    place = case.place
    expressions = [part.expression for part in place.key.parts if part.expression] if place else []
    if place is None or not expressions:
        return None
    return Reason(
        CODE,
        Confidence.MEDIUM,
        "The key is over an expression: the message shows its result, not what was inserted.",
        tuple(f"The key {place.key.name} is over {expression}." for expression in expressions),
        (Fix("Compare the expression of the new row with that of the existing row, not the columns themselves."),),
    )
