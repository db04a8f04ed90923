"""Which server it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.connection.limits import Limits
    from replfix.core.doctor.checkup import ClockReading, Connected


class Identity(Protocol):
    """Which server it is."""

    @property
    def address(self) -> str:
        """``host:port``, for people."""
        ...

    @property
    def limits(self) -> Limits:
        """What it may send, and how long it may keep a diagnosis."""
        ...

    def uuid(self) -> str:
        """server_uuid; of MariaDB its server_id, "server_id 2"."""
        ...

    def version(self) -> str:
        """Return VERSION(); that of MariaDB has its name in it."""
        ...

    def connected(self) -> Connected:
        """Return how it is connected to, and what of the connection is encrypted and checked."""
        ...

    def clock(self) -> ClockReading:
        """Return the server's clock against this machine's."""
        ...
