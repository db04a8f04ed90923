"""The receiver does not reach its source."""

from __future__ import annotations

from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import SOURCE, LeadsTo, Remedy

FAMILY = Family(
    page="source-unreachable",
    kind=Kind.RECEIVER,
    thread=Thread.RECEIVER,
    errors={
        1040: "ER_CON_COUNT_ERROR",
        1129: "ER_HOST_IS_BLOCKED",
        1158: "ER_NET_READ_ERROR",
        1159: "ER_NET_READ_INTERRUPTED",
        1160: "ER_NET_ERROR_ON_WRITE",
        1161: "ER_NET_WRITE_INTERRUPTED",
        2002: "CR_CONNECTION_ERROR",
        2003: "CR_CONN_HOST_ERROR",
        2005: "CR_UNKNOWN_HOST",
        2006: "CR_SERVER_GONE_ERROR",
        2013: "CR_SERVER_LOST",
        2026: "CR_SSL_CONNECTION_ERROR",
    },
    means=(
        "The replica cannot connect to its source, or lost the connection. It tries again by itself every "
        "SOURCE_CONNECT_RETRY seconds."
    ),
    replfix="Says what to look at; changes nothing.",
    human="Check that the source is up, its address in CHANGE REPLICATION SOURCE TO, and what is between the two.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    channel = evidence.channel
    address = f"{channel.source_host}:{channel.source_port}"
    if evidence.error.errno == 1129:
        return (
            Remedy(
                f"The source {address} has blocked the replica's host after max_connect_errors failed connections. On the source:",
                ("TRUNCATE TABLE performance_schema.host_cache",),
                LeadsTo.RECEIVER_RUNS,
                SOURCE,
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
            f"The replica does not reach {address}. {here} The receiver tries again by itself; what it has received "
            "is applied meanwhile."
        ),
    )
