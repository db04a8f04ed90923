"""The source says in its binlog that something is missing there, or that the statement failed there."""

from __future__ import annotations

from replfix.core import drift
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import Remedy

FAMILY = Family(
    page="source-incident",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={
        3001: "ER_ERROR_ON_SOURCE",
        3002: "ER_INCONSISTENT_ERROR",
        13113: "ER_INCONSISTENT_ERROR",
        13119: "ER_REPLICA_INCIDENT",
    },
    mariadb={
        1590: "ER_REPLICA_INCIDENT",
    },
    means=(
        "The source logged an incident: changes were made there that its binlog does not hold (13119); or a statement ended with an "
        "error there, and ends otherwise on the replica (3001, 3002)."
    ),
    replfix="Says so. Which rows are missing is in no binlog, so nothing is planned.",
    human=(
        "The source's error log says what happened at that time. The event can be left out, and then the two may differ: compare the "
        "tables (for an incident all that changed then, mostly of engines without transactions), or rebuild the replica."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (*drift.the_statement(evidence), Remedy(FAMILY.human))
