"""A source and a replica without GTIDs: by file and position."""

from __future__ import annotations

from replfix.lab.state import Server
from replfix.lab.topologies import disconnect, follow, protect, set_gtid_mode


def connect(source: Server, replica: Server, mode: str = "OFF") -> None:
    """``mode`` of both servers; any but ``OFF`` is a step on the way to GTIDs."""
    disconnect((replica, source))
    set_gtid_mode((source, replica), mode)
    follow(replica, source, by_position=True)
    protect(replica)


def undo(source: Server, replica: Server) -> None:
    """Back to a pair that is connected by GTIDs."""
    disconnect((replica, source))
    set_gtid_mode((source, replica), "ON")
    follow(replica, source)
    protect(replica)
