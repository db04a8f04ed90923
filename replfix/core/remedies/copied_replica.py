"""A replica made from a copy of the source's data that came without its GTIDs.

It has rows of transactions that it counts as not executed, and has executed none of the source's.
"""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.remedies.remedy import Remedy


def may_be_a_copy(evidence: Evidence) -> bool:
    """Return whether none of the source's GTIDs is there. MariaDB's positions only name the last one of a domain."""
    gtid, executed = evidence.error.gtid, evidence.status.executed
    if evidence.status.product != "MySQL" or gtid is None or not evidence.channel.auto_position:
        return False
    wrote = gtid.partition(":")[0]
    return not any(executed.of_uuid(uuid) for uuid in (wrote, evidence.source_uuid))


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return what a human can do. The set is not guessed: one that is too large loses transactions without an error."""
    if not evidence.copied:
        return ()
    return (
        Remedy(
            "Do not repair this transaction by transaction: all that is in the copy comes again. Find the GTID set of the copy: the line "
            "SET @@GLOBAL.GTID_PURGED in the dump, xtrabackup_binlog_info in the backup, or the source's gtid_executed as it was noted when "
            "the copy was made. Then, on the replica: STOP REPLICA, SET GLOBAL gtid_purged = '+' and that set in one string, START REPLICA. "
            "A set that is too large leaves transactions out without an error. If the set cannot be found, rebuild the replica from a "
            "backup or clone that brings it."
        ),
    )
