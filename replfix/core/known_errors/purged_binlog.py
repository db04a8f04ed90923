"""The source cannot send what the replica asks for."""

from __future__ import annotations

from replfix.core.known_error import Family, Kind, Thread

FAMILY = Family(
    page="purged-binlog",
    kind=Kind.RECEIVER,
    thread=Thread.RECEIVER,
    errors={
        1236: "ER_SOURCE_FATAL_ERROR_READING_BINLOG",
        13114: "ER_SERVER_SOURCE_FATAL_ERROR_READING_BINLOG",
    },
    means=(
        "The source refuses to send its binlog: its own words in quotes say why. Most often it has purged what "
        "the replica needs next."
    ),
    replfix=(
        "Names the transactions that the replica lacks and the source has purged, and says for each of the "
        "source's reasons what comes next."
    ),
    human="Rebuild the replica, or let it read the missing transactions from another server that still has them.",
)
