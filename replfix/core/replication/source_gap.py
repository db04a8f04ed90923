"""What a channel's source and its replica do not have in common, as sets of GTIDs."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere, passed_over
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus


@dataclass(frozen=True, slots=True)
class SourceGap:
    """``backlog``: what the source has and the replica has not; ``only_here``: the other way round.

    None is unknown, and ``why`` says the reason.
    """

    backlog: GtidSet | None
    only_here: OnlyHere | None
    why: str = ""


def backlog_of(replica: ReplicaStatus, channel: ChannelStatus, source: GtidSet) -> GtidSet:
    """Return what ``source``, the executed set of the channel's source, has and the replica is still to apply.

    What the channel's receiver filters out by server or domain never comes, and is not waited for.
    """
    missing = source - replica.executed
    return missing - passed_over(channel, missing, replica)


def waiting(replica: ReplicaStatus, channel: ChannelStatus) -> GtidSet:
    """Return what the channel has received and the replica has not applied yet."""
    return channel.retrieved - replica.executed
