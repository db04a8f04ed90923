"""Read-only: how far a replica's channels are from their sources."""

from __future__ import annotations

from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.source_gap import SourceGap, backlog_of
from replfix.errors import ReplfixError
from replfix.ports import Replica, SourceOf
from replfix.workflow.investigate.errant.find_errant import errant


def read_source_gaps(replica: Replica, source_of: SourceOf) -> dict[str, SourceGap]:
    """Return the gap of every channel, by its name; none without GTIDs, where nobody can know.

    A source that cannot be asked leaves its channel unknown. Raises as ``status`` does.
    """
    status = replica.status()
    if status.gtid_mode == "OFF":
        return {}
    return {channel.name: _of(replica, status, channel, source_of) for channel in status.channels}


def _of(replica: Replica, status: ReplicaStatus, channel: ChannelStatus, source_of: SourceOf) -> SourceGap:
    try:
        source = source_of(channel)
        strays = errant(replica, status, channel, source, source_of)
        return SourceGap(backlog_of(status, channel, source.executed()), strays, " ".join(strays.why))
    except ReplfixError as error:
        return SourceGap(None, None, error.message)
