"""A replica that is a source itself: each server but the first follows the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from replfix.lab.lab_state import LabServer, Role
from replfix.lab.topologies.topology import Topology
from replfix.lab.topologies.wiring import disconnect, follow, protect


def connect(servers: Sequence[LabServer]) -> None:
    """Connect each server to the one before it."""
    disconnect(servers)
    for source, replica in pairwise(servers):
        follow(replica, source)
        protect(replica)


TOPOLOGY = Topology(
    "chain",
    "a source, its replica, and a replica of that one",
    (("source", Role.SOURCE), ("replica1", Role.REPLICA), ("replica2", Role.REPLICA)),
    connect,
)
