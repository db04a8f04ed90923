"""The receiver does not reach its source."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import SOURCE, LeadsTo, Remedy

FAMILY = Family(
    page="source-unreachable",
    kind=Kind.RECEIVER,
    thread=Thread.RECEIVER,
    errors={
        1040: "ER_CON_COUNT_ERROR",
        1042: "ER_BAD_HOST_ERROR",
        1043: "ER_HANDSHAKE_ERROR",
        1047: "ER_UNKNOWN_COM_ERROR",
        1053: "ER_SERVER_SHUTDOWN",
        1080: "ER_FORCING_CLOSE",
        1129: "ER_HOST_IS_BLOCKED",
        1152: "ER_ABORTING_CONNECTION",
        1154: "ER_NET_READ_ERROR_FROM_PIPE",
        1155: "ER_NET_FCNTL_ERROR",
        1156: "ER_NET_PACKETS_OUT_OF_ORDER",
        1157: "ER_NET_UNCOMPRESS_ERROR",
        1158: "ER_NET_READ_ERROR",
        1159: "ER_NET_READ_INTERRUPTED",
        1160: "ER_NET_ERROR_ON_WRITE",
        1161: "ER_NET_WRITE_INTERRUPTED",
        1184: "ER_NEW_ABORTING_CONNECTION",
        1189: "ER_SOURCE_NET_READ",
        1190: "ER_SOURCE_NET_WRITE",
        1203: "ER_TOO_MANY_USER_CONNECTIONS",
        1218: "ER_CONNECT_TO_SOURCE",
        1226: "ER_USER_LIMIT_REACHED",
        2002: "CR_CONNECTION_ERROR",
        2003: "CR_CONN_HOST_ERROR",
        2004: "CR_IPSOCK_ERROR",
        2005: "CR_UNKNOWN_HOST",
        2006: "CR_SERVER_GONE_ERROR",
        2007: "CR_VERSION_ERROR",
        2012: "CR_SERVER_HANDSHAKE_ERR",
        2013: "CR_SERVER_LOST",
        2020: "CR_NET_PACKET_TOO_LARGE",
        2027: "CR_MALFORMED_PACKET",
        2055: "CR_SERVER_LOST_EXTENDED",
        3032: "ER_SERVER_OFFLINE_MODE",
        3169: "ER_SESSION_WAS_KILLED",
        4031: "ER_CLIENT_INTERACTION_TIMEOUT",
    },
    means=(
        "The replica cannot connect to its source, or lost the connection. It tries again by itself every "
        "SOURCE_CONNECT_RETRY seconds."
    ),
    replfix="Names what to check; changes nothing.",
    human="Check that the source is up, its address in CHANGE REPLICATION SOURCE TO, and what is between the two.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    channel = evidence.channel
    address = f"{channel.source_host}:{channel.source_port}"
    if evidence.error.errno == 1129:
        return (
            Remedy(
                f"The source {address} has blocked the replica's host after max_connect_errors failed connections: find out what connects so from "
                "there. This unblocks the host; the receiver connects with its next try. On the source:",
                (sql.forget_hosts(mariadb=evidence.status.product == "MariaDB"),),
                LeadsTo.RECEIVER_RUNS,
                where=SOURCE,
            ),
        )
    if evidence.error.errno == 1040:
        return (Remedy(f"The source {address} has no connection left: look at max_connections and who uses them."),)
    here = (
        "From here it cannot be reached either."
        if evidence.unreachable is not None
        else "From here it can be reached: look at what is between the replica and its source, at names and at firewalls."
    )
    return (
        Remedy(
            f"The replica cannot reach {address}. {here} The receiver tries again by itself; what it has received "
            "is applied meanwhile."
        ),
    )
