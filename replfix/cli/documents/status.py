"""``replfix.status/1``."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, ReplicaStatus


class ErrorPart(Part):
    errno: int
    message: str
    since: str | None = (
        None  # of the applier, by the replica's clock: UTC, ISO 8601; null: the server does not record it
    )


class ChannelPart(Part):
    name: str
    source: str  # host:port as the replica knows it
    receiver_running: bool
    applier_running: bool
    lag_seconds: int | None
    error: ErrorPart | None
    receiver_error: ErrorPart | None
    executed_gtid_set: str
    errant_gtid_set: str | None  # null: unknown, because a server could not be asked
    in_transit_gtid_set: str | None  # on the way to the source, which has not executed it yet


class ReplicaPart(Part):
    name: str
    host: str
    port: int
    version: str
    server_uuid: str
    read_only: bool
    super_read_only: bool
    channels: list[ChannelPart]


class UnreachablePart(Part):
    name: str
    host: str
    port: int
    message: str
    exit_code: int = 6  # what the error means alone: 2 where the server is no replica


class StatusDocument(Document):
    schema_name: Literal["replfix.status/1"] = "replfix.status/1"
    replicas: list[ReplicaPart]
    unreachable: list[UnreachablePart]


def channel_part(status: ReplicaStatus, channel: ChannelStatus, errant: OnlyHere | None) -> ChannelPart:
    """Return one channel; ``errant`` None: its errant transactions are unknown."""
    failure, since = channel.failure, channel.failed_at
    return ChannelPart(
        name=channel.name,
        source=f"{channel.source_host}:{channel.source_port}",
        receiver_running=channel.receiver is ReceiverState.RUNNING,
        applier_running=channel.applier_running,
        lag_seconds=channel.lag_seconds,
        error=(
            ErrorPart(errno=failure.errno, message=failure.message, since=since.isoformat() if since else None)
            if failure
            else None
        ),
        receiver_error=(
            ErrorPart(errno=channel.receiver_errno, message=channel.receiver_message)
            if channel.receiver_errno
            else None
        ),
        executed_gtid_set=str(status.executed),
        errant_gtid_set=None if errant is None or errant.undecided else str(errant.errant),
        in_transit_gtid_set=None if errant is None else str(errant.on_their_way),
    )
