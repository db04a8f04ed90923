"""One replica of several sources, a named channel for each."""

from __future__ import annotations

from collections.abc import Mapping

from replfix.lab.state import Server
from replfix.lab.topologies import disconnect, follow, protect


def connect(sources: Mapping[str, Server], replica: Server) -> None:
    """``sources`` by the name of the channel."""
    disconnect((replica, *sources.values()))
    for channel, source in sources.items():
        follow(replica, source, channel)
    protect(replica)
