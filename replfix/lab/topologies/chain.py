"""A replica that is a source itself: each server but the first follows the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from replfix.lab.state import Server
from replfix.lab.topologies import disconnect, follow, protect


def connect(servers: Sequence[Server]) -> None:
    disconnect(servers)
    for source, replica in pairwise(servers):
        follow(replica, source)
        protect(replica)
