"""The facts from which it is checked whether replfix can work with a replica and its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from replfix.core.connection.privileges import Role
from replfix.core.connection.tls import TlsMode
from replfix.core.replication.readers import REPORTED, Reader
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus


@dataclass(frozen=True, slots=True)
class ClockReading:
    """A server's clock against ours, in seconds: ahead when positive; the true difference is within ``uncertainty``."""

    offset: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Connected:
    """How replfix itself is connected to a server. ``cipher`` is empty where nothing is encrypted."""

    mode: TlsMode
    tls_version: str
    cipher: str
    local: bool  # over a socket, or to a loopback address
    with_password: bool

    @property
    def encrypted(self) -> bool:
        """Whether the connection is encrypted."""
        return bool(self.cipher)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What the checks know of one server."""

    role: Role
    address: str
    version: str
    variables: Mapping[str, str | None]  # None: this server has no such variable
    clock: ClockReading
    connected: Connected

    @property
    def mariadb(self) -> bool:
        """Whether it is a MariaDB."""
        return "mariadb" in self.version.lower()

    def number(self, name: str) -> int | None:
        """Return a variable as a whole number; None when there is none of that name, or it is no number."""
        value = self.variables.get(name)
        return int(value) if value is not None and value.isdigit() else None

    def on(self, name: str) -> bool | None:
        """Return whether a variable is on; None when there is none of that name."""
        value = self.variables.get(name)
        return None if value is None else value.upper() in ("ON", "1", "YES")


@dataclass(frozen=True, slots=True)
class Some:
    """How many there are, and the names of a few."""

    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is on a replica that matters to repairs; None: the account may not see it."""

    without_primary_key: Some
    not_transactional: Some  # tables in engines without transactions
    enabled_events: Some


@dataclass(frozen=True, slots=True)
class ReplicaFacts:
    """What the checks know of a replica."""

    server: ServerFacts
    status: ReplicaStatus
    inventory: Inventory
    today: date


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """One channel with its source."""

    replica: ReplicaFacts
    channel: ChannelStatus
    source: ServerFacts
    encrypted: bool | None  # whether the receiver uses TLS; None: unknown
    readers: tuple[Reader, ...] = ()  # of the source


VARIABLES = (
    "server_id",
    "log_bin",
    "log_replica_updates",
    "gtid_mode",
    "enforce_gtid_consistency",
    "binlog_format",
    "binlog_row_image",
    "binlog_row_metadata",
    "binlog_expire_logs_seconds",
    "replica_parallel_workers",
    "replica_preserve_commit_order",
    "max_allowed_packet",
    "sql_mode",
    "system_time_zone",
    "time_zone",
    "read_only",
    "super_read_only",
    "event_scheduler",
    *REPORTED,
)
"""What is read of both servers: those that one does not have do not apply there."""
