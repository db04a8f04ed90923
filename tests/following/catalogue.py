"""Incidents whose remedies are followed: how each is staged on healthy and empty servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from replfix.lab.topology import Lab
from tests.following.definitions import DRIFTED
from tests.following.refused import REFUSED
from tests.following.statements import STATEMENTS
from tests.integration.broken import BROKEN


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
    remedied: bool = False  # something is printed to be followed, and it leads to the end of the backlog
    in_every_run: bool = True  # and not only in ``make follow``

    def stops(self, server: str) -> bool:
        return not self.taken_by or not server.startswith(self.taken_by)

    @property
    def servers(self) -> int:
        return 3 if self.topology or self.as_shipped else 2


_TAKEN_BY_MARIADB = ("3819", "1007", "1008", "1050", "1051", "1837")
"""MariaDB replaces and drops objects silently when it applies (its DDL is idempotent there by default), and does not look at a CHECK
for row events (10.11, 11.8)."""

INCIDENTS = (
    *(
        Incident(name, one.arrange, taken_by="mariadb" if name in _TAKEN_BY_MARIADB else "")
        for name, one in BROKEN.items()
    ),
    *(Incident(name, one.arrange, taken_by=one.taken_by, remedied=one.remedied) for name, one in DRIFTED.items()),
    *(
        Incident(f"statement: {name}", one.arrange, one.errors, one.only, one.taken_by, in_every_run=False)
        for name, one in STATEMENTS.items()
    ),
    *(
        Incident(f"refused: {name}", one.arrange, one.errors, one.only, one.taken_by, in_every_run=False)
        for name, one in REFUSED.items()
    ),
)
