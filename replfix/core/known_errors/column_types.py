"""A column has a type on the replica that the source's values do not go into."""

from __future__ import annotations

from replfix.core import drift
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import Remedy

FAMILY = Family(
    page="column-types",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1677: "ER_REPLICA_CONVERSION_FAILED",
        13146: "ER_SERVER_REPLICA_CONVERSION_FAILED",
    },
    means=(
        "The event's column has another type than the replica's, and replica_type_conversions does not allow to "
        "convert it."
    ),
    replfix=(
        "Compares the definitions of the table on both servers and shows the ALTER TABLE that makes the replica's "
        "the source's."
    ),
    human=(
        "Run the ALTER TABLE on the replica, not logged, and start the channel. Loosening "
        "replica_type_conversions hides the difference."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (*drift.the_statement(evidence), *(drift.closed(evidence) or (Remedy(FAMILY.human),)))
