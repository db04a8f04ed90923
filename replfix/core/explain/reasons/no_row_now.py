"""No row has the value now."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Answer, Case
from replfix.core.explain.read_text import unprinted
from replfix.core.explain.reasons.postgresql import postgresql_rows
from replfix.core.remedies.remedy import Fix

CODE = "no-row-now"


def examine(case: Case) -> Cause | None:
    if case.postgresql is not None:
        return postgresql_rows.no_row_now(case, CODE)
    asked = case.asked
    if asked is None or not asked.places or any(place.rows for place in asked.places):
        return None
    answers = [reading for place in asked.places for reading in place.readings]
    if not answers or any(reading.answer is Answer.NOT_ASKED for reading in answers):
        return None
    if unprinted(case.duplicate.value or ""):
        return _not_known()
    tried = [r for r in answers if r.answer is Answer.NO_ROW]
    place = asked.places[0]
    statements = tuple(sql.find_shown(place.table, r.matches) for r in place.readings if r.answer is Answer.NO_ROW)[:3]
    return Cause(
        CODE,
        Confidence.MEDIUM if tried else Confidence.LOW,
        "No row has the value now: it was deleted or rolled back since, or the error came from another server.",
        (f"{len(tried)} of {len(answers)} readings of the value were looked up on {asked.address}: no row.",),
        (
            Fix(
                "Check whether it is the server that the application uses; a row in an open transaction is not seen either."
            ),
            Fix("Look again:", statements)
            if statements
            else Fix("The value does not fit the key's columns: is it this table?"),
        ),
    )


def _not_known() -> Cause:
    return Cause(
        CODE,
        Confidence.LOW,
        "Whether a row has the value is not known: the message does not have all of its characters.",
        (
            "The value contains a question mark or an unreadable byte: servers print ? for a character that the connection's character set does not have "
            "(an emoji), and a log can be in another encoding.",
        ),
        (Fix("Take the value from the application or from the statement, and look for the row with that."),),
    )
