"""The servers that read a server's binlog now, as that server lists them, and which share a replica's identity."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reader:
    """``host`` is its report_host, empty where it has none; ``uuid`` is empty on MariaDB (no server_uuid)."""

    server_id: int
    host: str
    port: int
    uuid: str = ""

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.host else f"the server with server_id {self.server_id}"


@dataclass(frozen=True, slots=True)
class Shared:
    """Addresses of other replicas of the same source that have this one's server_uuid, or its server_id only."""

    uuid: tuple[str, ...] = ()
    server_id: tuple[str, ...] = ()


NOT_SHARED = Shared()

REPORTED = ("report_host", "report_port")
"""The address that a replica reports to its source."""


def shared(readers: Iterable[Reader], uuid: str, server_id: int, host: str | None, port: int | None) -> Shared:
    """Return the readers with the replica's identity; ``host`` and ``port`` are what the replica itself reports.

    Two servers without report_host on one port look like one: they are not reported.
    """
    others = [r for r in readers if (r.host, r.port) != (host or "", port)]
    same_uuid = dict.fromkeys(_address(r) for r in others if r.uuid and r.uuid == uuid)
    same_id = dict.fromkeys(_address(r) for r in others if r.server_id == server_id and not (r.uuid and r.uuid == uuid))
    return Shared(tuple(same_uuid), tuple(same_id))


def _address(reader: Reader) -> str:
    return f"{reader.host or 'a host without report_host'}:{reader.port}"
