"""MySQL 1569: AUTO_INCREMENT is added to a column that has 0, which is numbered again by that."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "resequencing"
_NUMBER = 1569


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if duplicate.number != _NUMBER:
        return None
    table = text_facts.table_of(duplicate)
    named = text_facts.shown(table) if table else "the table"
    return Cause(
        CODE,
        Confidence.HIGH,
        "The ALTER TABLE makes a column AUTO_INCREMENT that has a row with 0: that row gets the next number, which another row has.",
        (f"Error 1569: the row with 0 would become {duplicate.value}.",),
        (
            Fix(
                f"Find the row of {named} with 0 in that column, and give it a number that is free, also where other tables refer to it."
            ),
            Fix(
                "If 0 has to stay: SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO') before the ALTER TABLE, in the same session."
            ),
        ),
    )
