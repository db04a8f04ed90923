"""A worker stopped because another one did."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="follow-up",
    kind=Kind.FOLLOW_UP,
    thread=Thread.APPLIER,
    errors={
        1756: "ER_MTA_INCONSISTENT_DATA",
        3030: "ER_REPLICA_WORKER_STOPPED_PREVIOUS_THD_ERROR",
    },
    mariadb={
        1964: "ER_PRIOR_COMMIT_FAILED",
    },
    means="Another worker failed, and this one only stopped with it.",
    replfix=(
        "Looks for the error of the worker that failed; where there is none left to see, starting the channel "
        "again brings it back."
    ),
    human="START REPLICA: the replica meets the real error again, and that is the one to look at.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (Remedy(FAMILY.human, (sql.start_replica(evidence.named_channel, receiver=True),), LeadsTo.REAL_ERROR),)
