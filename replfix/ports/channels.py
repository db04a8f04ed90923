"""Its channels, and what they have received."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.binlog.row_event import PassedOver, Transaction
    from replfix.core.replication.gtid import GtidSet
    from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
    from replfix.core.replication.start_threads import Threads
    from replfix.core.replication.transaction_id import TransactionId


class Channels(Protocol):
    """Its channels, and what they have received."""

    def status(self) -> ReplicaStatus:
        """Return the state of its channels now. ReplicationError when the server is no replica."""
        ...

    def starts_receiver_alone(self) -> bool:
        """Return whether ``start`` can start the receiver without the applier."""
        ...

    def stops_after(self, transaction: TransactionId) -> bool:
        """Return whether ``start`` takes ``until``; without it, a started channel runs on."""
        ...

    def start(
        self,
        channel: str,
        threads: Threads,
        *,
        until: TransactionId | None = None,
        before: TransactionId | None = None,
        gaps: bool = False,
    ) -> None:
        """Run START REPLICA for threads of one channel, as ``core/replication/start_threads.py`` has decided.

        The applier runs up to and with ``until``, up to and without ``before``, or with ``gaps`` until no transaction
        is missing before the last one that any worker committed. Refused where the account has only a cloud's
        procedures, and they cannot do that.
        """
        ...

    def stop(self, channel: str, threads: Threads) -> None:
        """STOP REPLICA for threads of one channel."""
        ...

    def relayed(self, channel: str, gtid: str | None, end_log_pos: int | None) -> Transaction:
        """Return a transaction that the channel has received and not applied, from its relay log.

        It is found by its GTID, else as the first in which an event ends at that position of the source's binlog.
        Raises as ``transaction``; ReplicationError with every reason where the relay log cannot be read from here.
        """
        ...

    def waiting_here(self, channel: ChannelStatus, executed: GtidSet) -> Iterator[Transaction | PassedOver]:
        """Return what the channel has received and not applied, from its relay log, in the log's order.

        A transaction that is not decodable comes as a note, one that is logged as statements with these. Raises as
        ``relayed``. ``executed``: the replica's set; without GTIDs it is the channel's position that counts.
        """
        ...

    def received(self, channel: ChannelStatus, transaction: Transaction) -> bool | None:
        """Return whether the channel has received that transaction with the same rows events.

        None where its relay log does not show it, or cannot be read from here.
        """
        ...

    def replicas_below(self) -> tuple[str, ...]:
        """Return the servers that read this one's binlog now, as ``host:port``; empty where the account may not see them."""
        ...

    def encrypted(self, channel: str) -> bool | None:
        """Return whether the channel's receiver uses TLS; None where the server does not show it."""
        ...
