"""Three servers that are all written to, each following the one before it, the first one the last."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.lab.lab_state import LabServer, Role
from replfix.lab.topologies.topology import Topology
from replfix.lab.topologies.wiring import disconnect, follow


def connect(servers: Sequence[LabServer]) -> None:
    """Any number of servers; two follow each other."""
    disconnect(servers)
    for source, replica in zip(servers, (*servers[1:], servers[0]), strict=True):
        follow(replica, source)


TOPOLOGY = Topology(
    "ring",
    "three writable servers in a circle, each following the one before it",
    tuple((f"primary{number}", Role.PRIMARY) for number in (1, 2, 3)),
    connect,
)
