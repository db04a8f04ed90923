"""One GTID covers more than one transaction of the replica."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.remedy import Remedy

FAMILY = Family(
    page="gtid-next",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1785: "ER_GTID_UNSAFE_NON_TRANSACTIONAL_TABLE",
        1837: "ER_GTID_NEXT_TYPE_UNDEFINED_GTID",
        1884: "ER_GTID_UNSAFE_BINLOG_SPLITTABLE_STATEMENT_AND_ASSIGNED_GTID",
    },
    means=(
        "The transaction commits more than once on the replica: it mixes engines with and without transactions, "
        "or contains a statement that commits by itself."
    ),
    replfix="Names the tables whose engine differs from the source's, when that is the reason.",
    human=(
        "Make the engines the same on both servers. What was committed before the error is on the replica "
        "already: compare the tables."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (*drift.the_statement(evidence), *(drift.shown(evidence) or (Remedy(FAMILY.human),)))
