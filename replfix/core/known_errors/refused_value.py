"""The replica's column refuses a value that the source's column took."""

from __future__ import annotations

from replfix.core import drift
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import Remedy

FAMILY = Family(
    page="refused-value",
    kind=Kind.DATA_REFUSED,
    thread=Thread.APPLIER,
    errors={
        1048: "ER_BAD_NULL_ERROR",
        1264: "ER_WARN_DATA_OUT_OF_RANGE",
        1265: "WARN_DATA_TRUNCATED",
        1292: "ER_TRUNCATED_WRONG_VALUE",
        1364: "ER_NO_DEFAULT_FOR_FIELD",
        1366: "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD",
        1406: "ER_DATA_TOO_LONG",
    },
    means="A value does not go into the replica's column: its definition is not the source's.",
    replfix=("Names the column and shows the ALTER TABLE that lets the value in."),
    human="Run the ALTER TABLE on the replica, not logged, and start the channel.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (
        *drift.the_statement(evidence),
        *(drift.column_for_values(evidence) or drift.shown(evidence) or (Remedy(FAMILY.human),)),
    )
