"""The source cannot send what the replica asks for."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import LeadsTo, Remedy

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


_REASONS = (
    (
        ("same server_uuid", "same server_id", "server_uuid/server_id"),
        "Another replica of this source has the same server_uuid or server_id: each throws the other out. Give one of them its "
        "own: a server_uuid is made anew when auto.cnf is removed before a start, server_id is a setting.",
    ),
    (
        ("max_allowed_packet",),
        "An event is larger than a packet may be. Raise max_allowed_packet on the source and replica_max_allowed_packet on the "
        "replica (1 GB at most), then start the receiver. When the values are large already, the source's binlog is damaged.",
    ),
    (
        ("more GTIDs than", "has more GTIDs"),
        "The replica has transactions that its source does not have: the source lost them in a crash, or the replica wrote "
        "its own. Do not throw them away before you know which; 'replfix status' shows the errant ones.",
    ),
    (
        ("purged", "Could not find first log file"),
        "The source no longer has the binlog that the replica needs next. No repair of rows helps: give the replica another "
        "source that still has it, or rebuild it from a backup or clone. Raise binlog_expire_logs_seconds on the source "
        "above the longest time that a replica may stand.",
    ),
    (
        ("file size", "bogus data", "truncated", "corrupt", "checksum", "log event entry"),
        "The source's binlog ends before the place where the replica wants to go on, or is damaged there: mostly after a "
        "crash of the source with sync_binlog other than 1. Look at the file with mysqlbinlog; where it cannot be read, "
        "rebuild the replica: the two may hold different rows already.",
    ),
)
"""Words of the source's reason, and what comes next; the first that fits."""


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    message = evidence.error.message
    found = next((text for words, text in _REASONS if any(word in message for word in words)), FAMILY.human)
    lost: tuple[Remedy, ...] = ()
    if evidence.lost:
        lost = (Remedy(f"The replica lacks {evidence.lost}, which the source has purged."),)
    return (
        *lost,
        Remedy(found),
        Remedy("Once the reason is gone:", (sql.start_receiver(evidence.channel.name),), LeadsTo.RECEIVER_RUNS),
    )
