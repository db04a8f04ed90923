"""One replica of several sources, a named channel for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from replfix.lab.lab_state import LabServer, Role
from replfix.lab.topologies.topology import Topology
from replfix.lab.topologies.wiring import disconnect, follow, protect


def connect(sources: Mapping[str, LabServer], replica: LabServer) -> None:
    """Connect the replica to ``sources``, which are by the name of the channel."""
    disconnect((replica, *sources.values()))
    for channel, source in sources.items():
        follow(replica, source, channel)
    protect(replica)


def arrange(servers: Sequence[LabServer]) -> None:
    """Connect the last server to all others, a channel each."""
    *sources, replica = servers
    connect({source.name: source for source in sources}, replica)


TOPOLOGY = Topology(
    "multi-source",
    "a replica of two sources, with the channels east and west",
    (("east", Role.SOURCE), ("west", Role.SOURCE), ("replica1", Role.REPLICA)),
    arrange,
)
