"""A source and a replica that follows it by file and position; on MySQL without GTIDs."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.lab.lab_state import LabServer, Role
from replfix.lab.topologies.topology import Topology
from replfix.lab.topologies.wiring import disconnect, follow, protect, set_gtid_mode


def connect(source: LabServer, replica: LabServer, mode: str = "OFF") -> None:
    """``mode`` of both servers, of MySQL; any but ``OFF`` is a step on the way to GTIDs."""
    disconnect((replica, source))
    set_gtid_mode((source, replica), mode)
    follow(replica, source, by_position=True)
    protect(replica)


def undo(source: LabServer, replica: LabServer) -> None:
    """Back to a pair that is connected by GTIDs."""
    disconnect((replica, source))
    set_gtid_mode((source, replica), "ON")
    follow(replica, source)
    protect(replica)


def arrange(servers: Sequence[LabServer]) -> None:
    """Connect the pair by position."""
    connect(servers[0], servers[1])


TOPOLOGY = Topology(
    "no-gtid",
    "a source and a replica by file and position, on MySQL without GTIDs",
    (("source", Role.SOURCE), ("replica1", Role.REPLICA)),
    arrange,
)
