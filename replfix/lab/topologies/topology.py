"""What a topology is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from replfix.lab.lab_state import LabServer, Role


@dataclass(frozen=True, slots=True)
class Topology:
    """``servers``: their names and roles, in the order of their server_id.

    ``arrange`` connects them anew, as good as new; None: a source with its replicas, as every lab begins.
    """

    name: str
    title: str
    servers: tuple[tuple[str, Role], ...] = ()
    arrange: Callable[[Sequence[LabServer]], None] | None = None


PAIR = Topology("pair", "a source with its replicas, by GTID")
