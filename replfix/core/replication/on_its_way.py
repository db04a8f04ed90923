"""What a replica has executed and its source has not: errant transactions, and those on their way to the source."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import IDENTITY
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, ReplicaStatus

_NONE = GtidSet()


@dataclass(frozen=True, slots=True)
class InTransit:
    """``how`` says by which channels they come to the source, and how far they have come."""

    gtids: GtidSet
    how: str


@dataclass(frozen=True, slots=True)
class OnlyHere:
    """Each transaction is in one of the three sets. ``why``: what could not be learned about the undecided ones."""

    errant: GtidSet
    in_transit: tuple[InTransit, ...] = ()
    undecided: GtidSet = _NONE
    why: tuple[str, ...] = ()

    @property
    def on_their_way(self) -> GtidSet:
        """The transactions that another server still passes on to the source."""
        return reduce(GtidSet.__or__, (one.gtids for one in self.in_transit), _NONE)

    @property
    def every(self) -> GtidSet:
        """All that only the replica has executed."""
        return self.errant | self.on_their_way | self.undecided


def passed_over(channel: ChannelStatus, gtids: GtidSet, replica: ReplicaStatus) -> GtidSet:
    """Return the GTIDs that the channel's receiver filters out: IGNORE_SERVER_IDS, and MariaDB's domain rules."""
    ids = channel.ignored_server_ids
    servers = {replica.server_uuid} if replica.server_id in ids else set()
    servers |= {uuid for uuid in gtids.uuids() if uuid in {f"{IDENTITY}{number}" for number in ids}}
    left_out = reduce(GtidSet.__or__, (gtids.of_uuid(uuid) for uuid in servers), _NONE)
    left_out = left_out | gtids.of_domains(channel.ignored_domains)
    return left_out | (gtids - gtids.of_domains(channel.only_domains)) if channel.only_domains else left_out


def in_words(server: str, feeder: str, channel: ChannelStatus, gtids: GtidSet, executed: GtidSet) -> str:
    """Say how far a server that reads from ``feeder`` has come with those transactions.

    ``executed``: what it has executed of the same servers.
    """
    got = "has received them" if gtids <= channel.retrieved else "has not received all of them yet"
    parts = [f"{server} replicates from {feeder} and {got}"]
    if channel.receiver is not ReceiverState.RUNNING:
        error = f" (error {channel.receiver_errno})" if channel.receiver_errno else ""
        parts.append(f"its receiver is {channel.receiver.value}{error}")
    if channel.failure is not None:
        parts.append(f"its applier has stopped with error {channel.failure.errno}")
    elif not channel.applier_running:
        parts.append("its applier is stopped")
    if executed:
        parts.append(f"of these servers it has executed {executed}")
    return "; ".join(parts) + "."
