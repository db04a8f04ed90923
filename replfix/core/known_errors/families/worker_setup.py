"""The workers of the applier cannot be set up, or cannot take the transaction."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="worker-setup",
    kind=Kind.HOST,
    thread=Thread.APPLIER,
    errors={
        1202: "ER_REPLICA_THREAD",
        1753: "ER_MTA_FEATURE_IS_NOT_SUPPORTED",
        1754: "ER_MTA_UPDATED_DBS_GREATER_MAX",
        1755: "ER_MTA_CANT_PARALLEL",
        1802: "ER_MTA_CHANGE_SOURCE_CANT_RUN_WITH_GAPS",
        1803: "ER_MTA_RECOVERY_FAILURE",
        1806: "ER_REPLICA_SILENT_RETRY_TRANSACTION",
        13145: "ER_SERVER_REPLICA_INIT_QUERY_FAILED",
    },
    mariadb={
        1963: "ER_CHANGE_REPLICA_PARALLEL_THREADS_ACTIVE",
        4188: "ER_INCONSISTENT_REPLICA_TEMP_TABLE",
    },
    means=(
        "The applier could not start its workers, or they cannot execute this event in parallel, or an earlier crash left a gap that they cannot close by themselves."
    ),
    replfix="Shows how the channel is started with the gap closed, or with one worker.",
    human="Start it with one worker; once it is past this event the number of workers can be raised again.",
    settings=("replica_parallel_workers",),
)

_GAP = (1802, 1803)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    channel = evidence.named_channel
    if evidence.error.errno in _GAP:
        return (
            Remedy(
                "Transactions are missing between others that are applied. This applies them; then the applier stops by itself.",
                (sql.start_replica(channel, receiver=False, gaps=True),),
                LeadsTo.NEXT_STEP,
            ),
            Remedy(
                "When it has stopped, start the channel:",
                (sql.start_replica(channel, receiver=True),),
                LeadsTo.REAL_ERROR,
            ),
        )
    if evidence.status.product == "MariaDB":
        return (Remedy(FAMILY.human),)
    return (
        Remedy(
            FAMILY.human,
            ("SET GLOBAL replica_parallel_workers = 1", sql.start_replica(channel, receiver=True)),
            LeadsTo.NEXT_TRANSACTION,
        ),
    )
