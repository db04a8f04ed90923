"""Source and replica are not set up for each other."""

from __future__ import annotations

from dataclasses import replace

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.known_errors.families.server_setting import statements_too
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="receiver-configuration",
    kind=Kind.RECEIVER,
    thread=Thread.RECEIVER,
    errors={
        1201: "ER_CONNECTION_METADATA",
        1593: "ER_BINLOG_FATAL_ERROR",
        13115: "ER_NETWORK_READ_EVENT_CHECKSUM_FAILURE",
        13116: "ER_REPLICA_CREATE_EVENT_FAILURE",
        13117: "ER_REPLICA_FATAL_ERROR",
        13118: "ER_REPLICA_HEARTBEAT_FAILURE",
        13122: "ER_REPLICA_RELAY_LOG_WRITE_FAILURE",
        13123: "ER_SERVER_REPLICA_CM_INIT_REPOSITORY",
        13145: "ER_SERVER_REPLICA_INIT_QUERY_FAILED",
        13148: "ER_CANT_REPLICATE_ANONYMOUS_WITH_AUTO_POSITION",
        13149: "ER_CANT_REPLICATE_ANONYMOUS_WITH_GTID_MODE_ON",
        13150: "ER_CANT_REPLICATE_GTID_WITH_GTID_MODE_OFF",
        13507: "ER_RPL_REPLICA_QUEUE_EVENT_FAILED_INVALID_NON_ROW_FORMAT",
        15671: "ER_RPL_REPLICA_VERSION_INCOMPATIBLE",
    },
    mariadb={
        1595: "ER_REPLICA_RELAY_LOG_WRITE_FAILURE",
        1596: "ER_REPLICA_CREATE_EVENT_FAILURE",
        1623: "ER_REPLICA_HEARTBEAT_FAILURE",
        1743: "ER_NETWORK_READ_EVENT_CHECKSUM_FAILURE",
    },
    means=(
        "The receiver stopped itself: two servers with one server_id or server_uuid, GTID modes that do not match, an event that it cannot accept or cannot write."
    ),
    replfix="Names what to check and the statements that fix it; changes nothing.",
    human="Correct the setting on the server where it is wrong, and start the channel.",
)


_ROWS_ONLY = 13507
_NEWER_SOURCE = 15671
_AGAIN = (
    "This fetches it again. If it stops in the same place, read the source's binlog from there with mysqlbinlog --verify-binlog-checksum; where "
    "that cannot, rebuild the replica."
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    message = evidence.error.message
    start = sql.start_receiver(evidence.named_channel)
    if "server ids" in message:
        what = "Source and replica have the same server_id."
        if evidence.free_server_id is None:
            return (
                Remedy(
                    f"{what} Give the replica another one, which no server of the topology has, in its configuration file too."
                ),
            )
        return (
            Remedy(
                f"{what} This gives the replica one that neither the source nor its replicas have, while the server runs; set it in the "
                "configuration file as well.",
                (sql.set_global_number("server_id", evidence.free_server_id), start),
                LeadsTo.RECEIVER_RUNS,
            ),
        )
    if evidence.error.errno == _ROWS_ONLY:
        return (replace(statements_too(evidence), leads_to=LeadsTo.RECEIVER_RUNS),)
    if evidence.error.errno == _NEWER_SOURCE:
        return (
            Remedy(
                "The source is of a newer version than the replica, and this replica does not accept the binlog of such a version. Upgrade the replica. Until then, this lets it continue; an event or a statement that only the newer version knows will stop it. Set it in the configuration "
                "file as well.",
                ("SET GLOBAL replica_allow_higher_version_source = ON", start),
                LeadsTo.RECEIVER_RUNS,
            ),
        )
    if "UUID" in message.upper():
        return (
            Remedy(
                "Source and replica have the same server_uuid: one was copied from the other with its auto.cnf. Stop the "
                "replica's server, remove auto.cnf from its data directory, and start it: it makes a new one."
            ),
        )
    if "GTID_MODE" in message.upper():
        return (
            Remedy("gtid_mode does not match on the two servers: they may be one step apart, not more (OFF to ON)."),
        )
    if "checksum" in message.lower():
        return (
            Remedy(
                f"An event arrived damaged: by the network, or it is in the source's binlog. {_AGAIN}",
                (start,),
                LeadsTo.RECEIVER_TRIES,
            ),
        )
    if "relay log" in message.lower():
        full = (
            "The relay log could not be written: a full disk on the replica, or an event of the source that is damaged."
        )
        return (Remedy(f"{full} {_AGAIN}", (start,), LeadsTo.RECEIVER_TRIES),)
    return (Remedy(FAMILY.human),)
