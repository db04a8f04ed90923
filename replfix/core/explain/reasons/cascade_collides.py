"""MySQL 1557, 1761, 1762: ON UPDATE CASCADE would give a child row a key that another one has."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "cascade-collides"
NUMBERS = frozenset({1557, 1761, 1762})


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if duplicate.number not in NUMBERS:
        return None
    child = duplicate.table or "a child table"
    key = f", key {duplicate.key}" if duplicate.key else ""
    return Cause(
        CODE,
        Confidence.HIGH,
        "An UPDATE of a parent row cascades to a child row, which then collides with another child row.",
        (f"Error {duplicate.number}: the collision is in {child}{key}.",),
        (
            Fix(
                "Look for the child rows of both parents, decide which stay, and then run the UPDATE again; nothing was changed."
            ),
        ),
    )
