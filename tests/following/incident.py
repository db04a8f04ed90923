"""What an incident is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from replfix.lab.topology import Lab


def _nothing(lab: Lab) -> None:
    """What the incident changed goes with a reset."""


@dataclass(frozen=True)
class Incident:
    """``put_back``: what a reset does not. ``topology``: of three servers at most; empty: a source and its replica."""

    name: str
    arrange: Callable[[Lab], object]
    errors: tuple[int, ...] = ()  # with one of which the replica stops
    only: str = ""  # the kind of server that it can be staged on; empty: any
    taken_by: str = ""  # by which kind of server: it applies the transaction, in its own way
    put_back: Callable[[Lab], object] = _nothing
    topology: str = ""
    as_shipped: bool = False
    left_out: tuple[str, ...] = ()  # tables, by the replica's filters
    remedied: bool = False  # something is printed to be followed, and it leads to the end of the backlog
    errant: bool = False  # the options of ``replfix errant`` are followed, whether a channel is stopped or not
    in_every_run: bool = True  # and not only in ``make follow``
    spoils: bool = False  # the servers: no other test should have them after it

    def stops(self, server: str) -> bool:
        return not self.taken_by or not server.startswith(self.taken_by)

    @property
    def servers(self) -> int:
        return 3 if self.topology or self.as_shipped else 2
