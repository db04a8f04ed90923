"""A server in either role: its facets in one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from replfix.ports.binlogs import BinlogReading
from replfix.ports.channels import Channels
from replfix.ports.definitions import Definitions
from replfix.ports.executed import Executed
from replfix.ports.identity import Identity
from replfix.ports.own_rows import OwnRows
from replfix.ports.rows import Rows
from replfix.ports.settings import Settings
from replfix.ports.writing import Repair, Writing

if TYPE_CHECKING:
    from replfix.core.replication.replica_status import ChannelStatus


class Server(Identity, Executed, Definitions, Rows, Settings, BinlogReading, Protocol):
    """Read from a server in either role. Every method may raise ConnectError, PrivilegeError, ServerError."""

    def feeder(self, channel: ChannelStatus) -> Server | None:
        """Return the server that one of its channels reads from; None where the configuration does not name it.

        ConnectError when it cannot be reached.
        """
        ...

    def writing(self) -> AbstractContextManager[Writing]:
        """Return a session whose changes are logged, for the rows that a plan writes on the source."""
        ...


class Replica(Server, Channels, OwnRows, Protocol):
    """A server that replicates."""

    def repair(self, channel: str) -> AbstractContextManager[Repair]:
        """Return the only way to write, for one run per channel: Busy when another has it."""
        ...


SourceOf = Callable[["ChannelStatus"], Server]
"""The source of a channel, connected; ConnectError when it cannot be."""
