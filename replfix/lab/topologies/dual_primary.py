"""Two servers that are both written to, each following the other: the smallest ring."""

from __future__ import annotations

from replfix.lab.lab_state import Role
from replfix.lab.topologies.ring import connect
from replfix.lab.topologies.topology import Topology

TOPOLOGY = Topology(
    "dual-primary",
    "two writable servers, each following the other",
    (("primary1", Role.PRIMARY), ("primary2", Role.PRIMARY)),
    connect,
)
