"""A CHECK of the replica refuses a row that the source took."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.remedy import Remedy

FAMILY = Family(
    page="check-constraint",
    kind=Kind.DATA_REFUSED,
    thread=Thread.APPLIER,
    errors={
        3819: "ER_CHECK_CONSTRAINT_VIOLATED",
    },
    mariadb={
        4025: "ER_CONSTRAINT_FAILED",
    },
    means="The replica has a CHECK constraint that the source does not have, or has another one.",
    replfix=(
        "Names the CHECK that refuses the row, and shows the ALTER TABLE that removes it or makes it the source's."
    ),
    human="Run the ALTER TABLE on the replica, not logged, and start the channel.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (
        *drift.the_statement(evidence),
        *(drift.check_for_rows(evidence) or drift.shown(evidence) or (Remedy(FAMILY.human),)),
    )
