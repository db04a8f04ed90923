"""The relay log cannot be read."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="relay-log",
    kind=Kind.RELAY_LOG,
    thread=Thread.APPLIER,
    errors={
        1201: "ER_CONNECTION_METADATA",
        1371: "ER_RELAY_LOG_FAIL",
        1380: "ER_RELAY_LOG_INIT",
        1594: "ER_REPLICA_RELAY_LOG_READ_FAILURE",
        1610: "ER_REPLICA_CORRUPT_EVENT",
        1742: "ER_RPL_INFO_DATA_TOO_LONG",
        1866: "ER_BINLOG_LOGICAL_CORRUPTION",
        1871: "ER_REPLICA_CM_INIT_REPOSITORY",
        1872: "ER_REPLICA_AM_INIT_REPOSITORY",
        10534: "ER_RPL_RECOVERY_ERROR_READ_RELAY_LOG",
        10538: "ER_RPL_RECOVERY_IO_ERROR_READING_RELAY_LOG_INDEX",
        10544: "ER_RPL_MTA_RECOVERY_CANT_OPEN_RELAY_LOG",
        10561: "ER_RPL_REPLICA_CANT_INIT_RELAY_LOG_POSITION",
        10596: "ER_RPL_REPLICA_ERROR_READING_RELAY_LOG_EVENTS",
        10720: "ER_RPL_WORKER_CANT_READ_RELAY_LOG",
        10721: "ER_RPL_WORKER_CANT_FIND_NEXT_RELAY_LOG",
        13117: "ER_REPLICA_FATAL_ERROR",
        13121: "ER_REPLICA_RELAY_LOG_READ_FAILURE",
        13123: "ER_SERVER_REPLICA_CM_INIT_REPOSITORY",
        13124: "ER_SERVER_REPLICA_AM_INIT_REPOSITORY",
        13807: "ER_RPL_CANNOT_OPEN_RELAY_LOG",
    },
    mariadb={
        1744: "ER_BINLOG_READ_EVENT_CHECKSUM_FAILURE",
        4034: "ER_BINLOG_UNCOMPRESS_ERROR",
    },
    means=(
        "What the replica received cannot be read any more: a damaged or lost relay log file, mostly after a "
        "crash or a full disk."
    ),
    replfix=(
        "Shows the statements that delete the relay logs and fetch everything again that is not applied yet; runs none of them."
    ),
    human="Make sure that the source still has it all, then run the statements.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    channel = evidence.channel
    if evidence.lost:
        return (
            Remedy(
                f"Do not delete the relay logs: the source has purged {evidence.lost}, which the replica has not applied. "
                "Save the relay log files first; the replica has to be rebuilt, or read from a server that still has it."
            ),
        )
    if not channel.auto_position:
        return (
            Remedy(
                "The channel works by file and position: RESET REPLICA would forget where it is. Continue from the applier's position ({channel.applied_to or 'Relay_Source_Log_File and Exec_Source_Log_Pos of SHOW REPLICA STATUS'}): "
                "CHANGE REPLICATION SOURCE TO with that file and position deletes the relay logs too.",
            ),
        )
    mariadb = evidence.status.product == "MariaDB"
    has = (
        "The source still has everything that is not applied."
        if evidence.lost is not None
        else "Make sure first that the source's oldest binlog begins before the replica's gtid_slave_pos."
        if mariadb
        else "Make sure first that the source's gtid_purged is a part of the replica's gtid_executed."
    )
    return (
        Remedy(
            f"{has} This deletes the relay logs, and the replica fetches again what is "
            f"{'after its gtid_slave_pos' if mariadb else 'not in its gtid_executed'}; the "
            "channel keeps its address and account.",
            sql.fetch_again(evidence.named_channel),
            LeadsTo.CHANNEL_RUNS,
        ),
    )
