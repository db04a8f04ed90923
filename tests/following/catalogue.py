"""Incidents whose remedies are followed: how each is staged on a healthy and empty pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from replfix.lab.topology import Lab
from tests.following import definitions
from tests.integration.broken import BROKEN

MYSQL, MARIADB = "mysql", "mariadb"


@dataclass(frozen=True)
class Incident:
    name: str
    arrange: Callable[[Lab], object]
    servers: str = ""  # on which kind only; empty: on all

    def on(self, server: str) -> bool:
        return server.startswith(self.servers)


def incidents(server: str) -> list[Incident]:
    """Those that can be staged on that server; not every one stops it."""
    broken = [Incident(name, one.arrange) for name, one in BROKEN.items()]
    drifted = [Incident(name, one.arrange, one.servers) for name, one in definitions.DRIFTED.items()]
    return [incident for incident in (*broken, *drifted) if incident.on(server)]
