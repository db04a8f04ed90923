"""A row that the transaction changes is not there."""

from __future__ import annotations

from replfix.core import drift, sql
from replfix.core.applied_together import stopped_by
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import LeadsTo, Remedy

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
    table = stopped_by(evidence)
    if table is None:
        return ()
    hide, show = (
        [sql.hidden_index(table.name, key.name, hidden=h) for key in table.unique_keys] for h in (True, False)
    )
    return (
        Remedy(
            f"Without an index to search, the replica reads {table.name} row by row, and applies the event as it is. An "
            "invisible unique index goes on being enforced. Indexes that are not unique have to be hidden as well:",
            drift.by_hand(evidence, *hide),
            LeadsTo.NEXT_STEP,
        ),
        Remedy(
            "And once the replica is past the transaction:",
            drift.by_hand(evidence, *show, start=""),
            LeadsTo.DEFINITION_RESTORED,
        ),
        Remedy("A primary key on both servers keeps it from happening again."),
    )
