"""What it has executed, and which servers read from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.replication.gtid import GtidSet
    from replfix.core.replication.readers import Reader
    from replfix.core.replication.replica_status import ChannelStatus


class Executed(Protocol):
    """What it has executed, and which servers read from it."""

    def executed(self) -> GtidSet:
        """gtid_executed, now; of MariaDB what it has logged and applied."""
        ...

    def purged(self) -> GtidSet:
        """Return the GTIDs that its binary logs no longer contain."""
        ...

    def server_ids(self) -> frozenset[int]:
        """Return its own server_id, and those of its replicas as far as they can be seen."""
        ...

    def readers(self) -> tuple[Reader, ...] | None:
        """Return the servers that read its binlog now; None when the account may not see them."""
        ...

    def serves(self, channel: ChannelStatus) -> str:
        """Return why this source cannot send what the channel's receiver would ask for when it is started.

        Empty when it can, and where no receiver asks in that way (all but MariaDB in GTID mode).
        """
        ...

    def channels(self) -> tuple[ChannelStatus, ...]:
        """Return the channels' states; empty for a server that is no replica."""
        ...
