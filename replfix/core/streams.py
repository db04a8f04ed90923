"""Whose transaction one is: the replica's own, of the channel in question, or of another one."""

from __future__ import annotations

from replfix.core.evidence import Evidence


def is_of_source(evidence: Evidence, gtid: str) -> bool:
    """It came from the failing channel's source: neither written on the replica nor brought by another channel alone."""
    if gtid in evidence.ahead or is_own(evidence, gtid):
        return False
    others = [c for c in evidence.status.channels if c.name != evidence.channel.name]
    only = evidence.status.executed.single(gtid)
    return not any(only.of_uuid(c.source_uuid) or gtid in c.retrieved for c in others)


def is_own(evidence: Evidence, gtid: str) -> bool:
    """It was written on the replica itself, whichever way it came back from elsewhere."""
    return bool(evidence.status.executed.single(gtid).of_uuid(evidence.status.server_uuid))
