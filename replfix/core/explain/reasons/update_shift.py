"""An UPDATE moves a key by a number, row after row: the first row meets the one that is still to be moved."""

from __future__ import annotations

import re

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Product
from replfix.core.explain.explanation import Case
from replfix.core.explain.statement_target import NAME, Verb, unquoted
from replfix.core.remedies.remedy import Fix

CODE = "update-shifts-keys"

_SHIFT = re.compile(
    rf"\bset\s+(?:.{{0,400}}?,\s*)?(?P<column>{NAME})\s*=\s*(?P=column)\s*(?P<sign>[+-])\s*(?P<by>\d+)",
    re.IGNORECASE | re.DOTALL,
)
_ORDERED = re.compile(r"\border\s+by\b", re.IGNORECASE)


def examine(case: Case) -> Cause | None:
    target = text_facts.target_of(case.duplicate)
    if target is None or target.verb is not Verb.UPDATE:
        return None
    shift = _SHIFT.search(target.text)
    if shift is None or _ORDERED.search(target.text):
        return None
    column = unquoted(shift["column"])
    direction = "DESC" if shift["sign"] == "+" else "ASC"
    if case.duplicate.dialect is Product.POSTGRESQL:
        fix = Fix(
            "Move them out of the range first and then to where they should be, in one transaction; or make the constraint DEFERRABLE: it is checked at the end of the statement then."
        )
    else:
        order = "highest" if direction == "DESC" else "lowest"
        fix = Fix(
            f"Add ORDER BY {column} {direction} to the UPDATE (one table only): the {order} value moves first, and nothing is in its place."
        )
    return Cause(
        CODE,
        Confidence.HIGH,
        "The UPDATE changes a key row by row, and the server checks it after each row: a row meets one that has not been changed yet.",
        (f"The statement sets {column} to itself {shift['sign']} {shift['by']}.",),
        (fix,),
    )
