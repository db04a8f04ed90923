"""Whose transaction one is: the replica's own, of the channel in question, or of another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from replfix.core.incident.authors import authors
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.provenance import Provenance, provenances
from replfix.core.incident.source_feasibility import Named
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.rows.lookup import by_identity


def is_of_source(evidence: Evidence, gtid: str) -> bool:
    """Return whether it came from the failing channel's source: not from the replica, nor by another channel alone."""
    if gtid in evidence.ahead or is_own(evidence, gtid):
        return False
    others = [c for c in evidence.status.channels if c.name != evidence.channel.name]
    only = evidence.status.executed.single(gtid)
    return not any(only.of_uuid(c.source_uuid) or gtid in c.retrieved for c in others)


def is_own(evidence: Evidence, gtid: str) -> bool:
    """Return whether it was written on the replica itself, whichever way it came back from elsewhere."""
    return bool(evidence.status.executed.single(gtid).of_uuid(evidence.status.server_uuid))


def of_other_sources(evidence: Evidence) -> Iterator[tuple[Provenance, ChannelStatus]]:
    """Yield rows that are as a transaction left them which another channel brought, and this one did not."""
    others = [c for c in evidence.status.channels if c.name != evidence.channel.name]
    for one in provenances(evidence) if others else ():
        if one.last is None or not one.as_logged:
            continue
        gtid = one.last.by.gtid
        channel = next((c for c in others if _brought(c, gtid) and not _brought(evidence.channel, gtid)), None)
        if channel is not None:
            yield one, channel


def _brought(channel: ChannelStatus, gtid: str) -> bool:
    return bool(channel.retrieved.single(gtid).of_uuid(channel.source_uuid)) or gtid in channel.retrieved


def not_written_here(evidence: Evidence, rows: Iterable[Named]) -> Iterator[str]:
    """Yield, on a replica of several sources, rows that are or may be another source's.

    Written on this source they would be on both.
    """
    if len(evidence.status.channels) < 2:
        return
    here = {(a.conflict.table, a.conflict.replica_row) for a in authors(evidence)}
    here |= {
        (one.table.name, one.state)
        for one in provenances(evidence)
        if one.behind_the_log or (one.as_logged and one.last is not None and is_own(evidence, one.last.by.gtid))
    }
    theirs = {(one.table.name, one.state): channel for one, channel in of_other_sources(evidence)}
    for name, row in rows:
        what = f"The row {by_identity(evidence.tables[name], row)} of {name}"
        channel = theirs.get((name, row))
        if channel is not None:
            yield f"{what} is one of another source, {channel.source_host}:{channel.source_port} (channel {channel.name!r})"
        elif (name, row) not in here:
            yield f"{what} may be one of another source: who wrote it is unknown"
