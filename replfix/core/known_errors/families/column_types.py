"""A column has a type on the replica that the source's values do not go into."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.remedy import Remedy

FAMILY = Family(
    page="column-types",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1677: "ER_REPLICA_CONVERSION_FAILED",
        13146: "ER_SERVER_REPLICA_CONVERSION_FAILED",
    },
    mariadb={
        1535: "ER_BINLOG_ROW_WRONG_TABLE_DEF",
    },
    means=(
        "The event's column has another type than the replica's, and replica_type_conversions does not allow to "
        "convert it."
    ),
    replfix=(
        "Shows what makes the replica's column the one that the event needs; where it is wider, how the "
        "applier is made to convert. Nothing is dropped, and no later change of the source is made before its "
        "time."
    ),
    human=(
        "Run the statements on the replica. A wider column that is meant, as in a migration, stays: "
        "replica_type_conversions is the usual way."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (
        *drift.the_statement(evidence),
        *(drift.columns_for_rows(evidence) or drift.shown(evidence) or (Remedy(FAMILY.human),)),
    )
