"""The source cannot send what the replica asks for."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import SOURCE, LeadsTo, Remedy
from replfix.core.replication.mariadb_gtid import MariadbGtidSet

FAMILY = Family(
    page="purged-binlog",
    kind=Kind.RECEIVER,
    thread=Thread.RECEIVER,
    errors={
        1153: "ER_NET_PACKET_TOO_LARGE",
        1236: "ER_SOURCE_FATAL_ERROR_READING_BINLOG",
        1789: "ER_SOURCE_HAS_PURGED_REQUIRED_GTIDS",
        13114: "ER_SERVER_SOURCE_FATAL_ERROR_READING_BINLOG",
        13125: "ER_SERVER_NET_PACKET_TOO_LARGE",
    },
    mariadb={
        1945: "ER_GTID_POSITION_NOT_FOUND_IN_BINLOG",
        1955: "ER_GTID_POSITION_NOT_FOUND_IN_BINLOG2",
        4052: "ER_REPLICA_SAME_ID",
    },
    means=(
        "The source refuses to send its binlog: the message in quotes says why. Most often it has purged what the replica needs next."
    ),
    replfix=(
        "Names the transactions that the replica lacks and the source has purged, and the next step for each of the source's reasons."
    ),
    human="Rebuild the replica, or let it read the missing transactions from another server that still has them.",
)


_SAME_IDENTITY = ("same server_uuid", "same server_id", "server_uuid/server_id")
_PACKET = ("max_allowed_packet", "packet bigger than")
_LARGEST_PACKET = 2**30

_REASONS = (
    (
        ("more GTIDs than", "has more GTIDs"),
        "The replica has transactions that its source does not have: the source lost them in a crash, or the replica wrote "
        "its own. Do not delete them before you know which; 'replfix status' shows the errant ones.",
    ),
    (
        ("keyring", "decrypt", "encrypted"),
        "The source cannot read its own encrypted binlog: its keyring is not loaded or lacks the key. Repair the keyring of the source; then the replica continues by itself, or when its receiver is started.",
    ),
    (
        ("Binary log is not open", "not open"),
        "The source has no binary log (log_bin is off): nothing can be replicated from it. Start it with log_bin; the replica has to be rebuilt, since what was written without a log is in no binlog.",
    ),
    (
        ("AUTO_POSITION mode", "GTID_MODE", "gtid_mode"),
        "The channel asks by GTID (SOURCE_AUTO_POSITION = 1), and the source has gtid_mode other than ON. Set gtid_mode = ON on the source "
        "(one step at a time), or let the channel use file and position.",
    ),
    (
        ("purged", "Could not find first log file"),
        "The source no longer has the binlog that the replica needs next. No repair of rows helps: give the replica another "
        "source that still has it, or rebuild it from a backup or clone. Raise binlog_expire_logs_seconds on the source "
        "above the longest time that a replica may be stopped.",
    ),
    (
        ("file size", "bogus data", "truncated", "corrupt", "checksum", "log event entry"),
        "The source's binlog ends before the position that the replica asks for, or is damaged there: mostly after a "
        "crash of the source with sync_binlog other than 1. Look at the file with mysqlbinlog; where it cannot be read, "
        "rebuild the replica: the two may have different rows already.",
    ),
)
"""Words of the source's reason, what comes next, and whether the receiver can be started then; the first that fits."""

_NOT_THERE = re.compile(
    r"start from GTID (?P<domain>\d+)-(?P<server>\d+)-(?P<number>\d+), which is not in the \w+'s binlog"
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    message = evidence.error.message
    lost: tuple[Remedy, ...] = ()
    if evidence.lost:
        lost = (Remedy(f"The replica lacks {evidence.lost}, which the source has purged."),)
    if (asked := _NOT_THERE.search(message)) is not None:
        return (*lost, _asked_for(evidence, asked["domain"], asked["server"], asked["number"]))
    if any(word in message for word in _SAME_IDENTITY):
        return (*lost, *_same_identity(evidence))
    if any(word in message for word in _PACKET):
        return (*lost, *_larger_packets(evidence))
    found = next((text for words, text in _REASONS if any(word in message for word in words)), FAMILY.human)
    return (*lost, Remedy(found))


def _asked_for(evidence: Evidence, domain: str, server: str, number: str) -> Remedy:
    """MariaDB: the replica's position names a transaction that its source does not have."""
    gtid, status = f"{domain}-{server}-{number}", evidence.status
    own = server == str(status.server_id)
    who = "which it wrote itself" if own else f"which the server with server_id {server} wrote"
    text = f"The replica asks its source for what follows {gtid}, {who}. The source does not have it; nothing has to be purged for that."
    last = _last_of_others(evidence, domain) if own else None
    if last is None:
        return Remedy(f"{text} Connect the replica to a server that has it, or rebuild it.")
    strict = " With gtid_strict_mode=ON the applier then stops with error 1950." if own else ""
    return Remedy(
        f"{text} The last transaction of domain {domain} that came from another server is {last}: continue from there. What the replica wrote "
        f"itself stays on it, and may conflict.{strict}",
        sql.go_on_from(evidence.named_channel, _position(evidence, domain, last)),
        LeadsTo.RECEIVER_RUNS,
    )


def _same_identity(evidence: Evidence) -> tuple[Remedy, ...]:
    mariadb = evidence.status.product == "MariaDB"
    others = (*evidence.shared.uuid, *evidence.shared.server_id) if mariadb else evidence.shared.uuid
    what = f"the same {'server_id' if mariadb else 'server_uuid'}"
    where = f" ({', '.join(others)})" if others else ""
    told = Remedy(
        f"Another replica of this source{where} has {what}: each disconnects the other. This lists the source's replicas."
        + (
            ""
            if mariadb
            else " Of the one that was copied: stop its server, remove auto.cnf from its data directory, and start it."
        ),
        ("SHOW REPLICA HOSTS" if mariadb else "SHOW REPLICAS",),
        LeadsTo.NOTHING_CHANGED,
        where=SOURCE,
    )
    if not mariadb or evidence.free_server_id is None:
        return (told,)
    return (
        told,
        Remedy(
            "This gives this replica an id that none of them has, while the server runs; set it in the configuration file as well.",
            (
                sql.set_global_number("server_id", evidence.free_server_id),
                sql.stop_replica(evidence.named_channel),
                sql.start_replica(evidence.named_channel, receiver=True),
            ),
            LeadsTo.RECEIVER_RUNS,
        ),
    )


def _larger_packets(evidence: Evidence) -> tuple[Remedy, ...]:
    take = sql.take_packets(_LARGEST_PACKET, mariadb=evidence.status.product == "MariaDB")
    return (
        Remedy(
            "An event is larger than a packet may be. This allows the most that there is, first on the source; set it in the configuration "
            "files as well. If it does not help, the source's binlog is damaged there: look at it with mysqlbinlog.",
            (sql.set_global_number("max_allowed_packet", _LARGEST_PACKET),),
            LeadsTo.NEXT_STEP,
            where=SOURCE,
        ),
        Remedy(
            "Then on the replica. A thread reads the limit when it is started. The applier is not restarted: it waits for the rest of a transaction that it has begun, and STOP REPLICA would wait with it.",
            (
                take,
                sql.stop_replica(evidence.named_channel, "IO_THREAD"),
                sql.start_receiver(evidence.named_channel),
                sql.start_replica(evidence.named_channel, receiver=True),
            ),
            LeadsTo.RECEIVER_RUNS,
        ),
    )


def _last_of_others(evidence: Evidence, domain: str) -> str | None:
    """Return the newest transaction of that domain that the replica has and did not write itself.

    From its binlog or its position.
    """
    own = str(evidence.status.server_id)
    numbers = [
        (spans[-1][1], server)
        for (of, server), spans in evidence.status.executed.intervals
        if of == domain and server != own and spans
    ]
    return f"{domain}-{max(numbers)[1]}-{max(numbers)[0]}" if numbers else None


def _position(evidence: Evidence, domain: str, last: str) -> str | None:
    """Return the whole position, for it is set as a whole. None where it names that transaction already."""
    executed = evidence.status.executed
    applied = executed.positions if isinstance(executed, MariadbGtidSet) else ()
    now = {of: f"{of}-{server}-{number}" for (of, server), number in applied}
    if now.get(domain) == last:
        return None
    return ",".join({**now, domain: last}.values())
