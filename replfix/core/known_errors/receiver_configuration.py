"""Source and replica are not set up for each other."""

from __future__ import annotations

from replfix.core.known_error import Family, Kind, Thread

FAMILY = Family(
    page="receiver-configuration",
    kind=Kind.RECEIVER,
    thread=Thread.RECEIVER,
    errors={
        1593: "ER_BINLOG_FATAL_ERROR",
        13115: "ER_NETWORK_READ_EVENT_CHECKSUM_FAILURE",
        13116: "ER_REPLICA_CREATE_EVENT_FAILURE",
        13117: "ER_REPLICA_FATAL_ERROR",
        13118: "ER_REPLICA_HEARTBEAT_FAILURE",
        13122: "ER_REPLICA_RELAY_LOG_WRITE_FAILURE",
    },
    means=(
        "The receiver stopped itself: two servers with one server_id or server_uuid, GTID modes that do not go "
        "together, an event that it cannot take or cannot write."
    ),
    replfix="Says what to look at and the statements that put it right; changes nothing.",
    human="Put the setting right on the server that has it wrong, and start the channel.",
)
