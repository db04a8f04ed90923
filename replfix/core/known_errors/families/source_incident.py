"""The source says in its binlog that something is missing there, or that the statement failed there."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.remedy import SOURCE, LeadsTo, Remedy
from replfix.core.replication.replica_status import RelayLog

FAMILY = Family(
    page="source-incident",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={
        3001: "ER_ERROR_ON_SOURCE",
        3002: "ER_INCONSISTENT_ERROR",
        3725: "ER_REPLICA_POSSIBLY_DIVERGED_AFTER_DDL",
        13113: "ER_INCONSISTENT_ERROR",
        13119: "ER_REPLICA_INCIDENT",
    },
    mariadb={
        1590: "ER_REPLICA_INCIDENT",
    },
    means=(
        "The source logged an incident: changes were made there that are not in its binlog (13119, on MariaDB 1590); or a statement "
        "ended with an error there, and ends otherwise on the replica (3001, 3002, 3725)."
    ),
    replfix="Shows how the incident is skipped. Which rows are missing is in no binlog, so nothing is planned.",
    human=(
        "The source's error log says what happened at that time. The event can be left out, and then the two may differ: compare the "
        "tables (for an incident all that changed then, mostly of engines without transactions), or rebuild the replica."
    ),
)


_INCIDENT = (1590, 13119)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    if evidence.error.errno in _INCIDENT:
        return _passed_over(evidence)
    return (*drift.the_statement(evidence), Remedy(FAMILY.human))


def _passed_over(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return how the incident is skipped: it changes no row.

    It has a GTID of its own on MySQL, and none on MariaDB (9.7.4, 11.8.9).
    """
    channel = evidence.channel
    told = (
        "The source logged that rows were changed there which are not in its binlog; its error log says what happened then. The incident "
        "itself changes nothing on the replica."
    )
    after = (
        "Then compare the tables with the source's: what differs has to be copied from there, or the replica rebuilt."
    )
    mariadb, at = evidence.status.product == "MariaDB", channel.applied_to
    if evidence.error.gtid is not None and not mariadb:
        over = sql.skip_by_hand(evidence.error.gtid, evidence.named_channel)
        return (Remedy(f"{told} This passes over it alone. {after}", over, LeadsTo.LEFT_OUT),)
    counts = channel.relay_log is not RelayLog.REPLACED if mariadb else evidence.status.gtid_mode != "ON"
    if at is None or not counts:
        return (Remedy(f"{told} {FAMILY.human}"),)
    return (
        Remedy(
            f"{told} This shows the applier's next event. Continue only where its Event_type is Incident.",
            (sql.show_event(at),),
            LeadsTo.NEXT_STEP,
            where=SOURCE,
        ),
        Remedy(
            f"This passes over it alone. {after}",
            sql.skip_next(evidence.named_channel) if mariadb else sql.skip_by_hand(None, evidence.named_channel),
            LeadsTo.LEFT_OUT,
        ),
    )
