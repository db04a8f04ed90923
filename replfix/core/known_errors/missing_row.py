"""A row that the transaction changes is not there."""

from __future__ import annotations

from replfix.core import drift
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.no_applier import by_hand
from replfix.core.remedy import Remedy

FAMILY = Family(
    page="missing-row",
    kind=Kind.ROW_CONFLICT,
    thread=Thread.APPLIER,
    errors={
        1032: "ER_KEY_NOT_FOUND",
    },
    means=(
        "The replica does not hold the row that the transaction updates or deletes, or not as it was on the source."
    ),
    replfix="Puts the row back as the event says it was, then the replica applies the transaction itself.",
    human="Look for more of them: one missing row is rarely alone.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Nothing where a row is missing: that is a strategy's business."""
    return (*by_hand(evidence), *drift.columns_behind_rows(evidence))
