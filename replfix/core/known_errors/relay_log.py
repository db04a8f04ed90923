"""The relay log cannot be read."""

from __future__ import annotations

from replfix.core.known_error import Family, Kind, Thread

FAMILY = Family(
    page="relay-log",
    kind=Kind.RELAY_LOG,
    thread=Thread.APPLIER,
    errors={
        1201: "ER_CONNECTION_METADATA",
        1594: "ER_REPLICA_RELAY_LOG_READ_FAILURE",
        1872: "ER_REPLICA_AM_INIT_REPOSITORY",
        10544: "ER_RPL_MTA_RECOVERY_CANT_OPEN_RELAY_LOG",
        13117: "ER_REPLICA_FATAL_ERROR",
        13121: "ER_REPLICA_RELAY_LOG_READ_FAILURE",
        13124: "ER_SERVER_REPLICA_AM_INIT_REPOSITORY",
    },
    means=(
        "What the replica received cannot be read any more: a damaged or lost relay log file, mostly after a "
        "crash or a full disk."
    ),
    replfix=(
        "Shows the statements that throw the relay logs away and fetch everything again that is not applied yet; "
        "runs none of them."
    ),
    human="Make sure that the source still has it all, then run the statements.",
)
