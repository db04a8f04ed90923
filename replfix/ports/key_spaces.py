"""What ``advise`` asks of a server. Every method may raise ConnectError, PrivilegeError, ServerError."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.advisor.node import IncrementSetting, LogSample, Node
    from replfix.core.replication.replica_status import ChannelStatus
    from replfix.core.schema.table import TableName


class KeySpaces(Protocol):
    """What ``advise`` asks of a server. Every method may raise ConnectError, PrivilegeError, ServerError."""

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        ...

    def uuid(self) -> str:
        """Return the server's UUID, as ``Server.uuid``."""
        ...

    def channels(self) -> tuple[ChannelStatus, ...]:
        """Return the channels' states; empty for a server that is no replica."""
        ...

    def node(self, name: str, channels: Sequence[ChannelStatus]) -> Node:
        """Return settings, tables, keys and highest ids; without the counters' next values and without the log."""
        ...

    def next_values(self) -> Mapping[TableName, int]:
        """Return the next value of each AUTO_INCREMENT counter, now."""
        ...

    def next_value(self, table: TableName) -> int | None:
        """Return the next value of one table's AUTO_INCREMENT counter, now."""
        ...

    def numbers(
        self, table: TableName, column: str, step: IncrementSetting, least: int, most: int
    ) -> tuple[int, int, int] | None:
        """Return how many rows have a number that ``step`` gives in that range, the lowest and the highest; None for none."""
        ...

    def log(self, node: Node) -> LogSample:
        """Return what the server itself wrote lately; ``node`` comes from the method of that name. ReplicationError, Unreadable."""
        ...
