"""Whose transaction one is: the replica's own, of the channel in question, or of another one."""

from __future__ import annotations

from replfix.core.evidence import Evidence


def is_of_source(evidence: Evidence, gtid: str) -> bool:
    """It came from the failing channel's source: neither written on the replica nor brought by another channel alone."""
    if gtid in evidence.ahead:
        return False
    others = [c for c in evidence.status.channels if c.name != evidence.channel.name]
    uuid = gtid.partition(":")[0]
    return not any(c.source_uuid == uuid or gtid in c.retrieved for c in others)
