"""replfix itself brought the row to its state, as its audit trail shows: a repair or an undo is in no binlog."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.earlier_repairs import by_replfix
from replfix.core.incident.evidence import Evidence
from replfix.core.words import shortened

CODE = "repaired-before"


def examine(evidence: Evidence) -> Cause | None:
    """Not where the row was changed since."""
    found = tuple(by_replfix(evidence))
    if not found:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "replfix itself deleted, changed or wrote a row of this transaction, in an earlier repair or undo.",
        shortened(tuple(one.in_words for one in found), "row"),
    )
