"""A row that the transaction changes is not there."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.applied_together import stopped_by
from replfix.core.evidence import Evidence
from replfix.core.known_error import Advice, Family, Kind, Thread

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


def advise(evidence: Evidence) -> tuple[Advice, ...]:
    """Nothing where a row is missing: that is a strategy's business."""
    table = stopped_by(evidence)
    if table is None:
        return ()
    hide, show = (
        [sql.hidden_index(table.name, key.name, hidden=h) for key in table.unique_keys] for h in (True, False)
    )
    return (
        Advice(
            f"Without an index to search, the replica reads {table.name} row by row, and applies the event as it is. An "
            "invisible unique index goes on being enforced. Indexes that are not unique have to be hidden as well:",
            ("SET SESSION sql_log_bin = 0", *hide, "START REPLICA"),
        ),
        Advice("And once the replica is past the transaction:", tuple(show)),
        Advice("A primary key on both servers keeps it from happening again."),
    )
