"""What the families of servers are told and asked in different words."""

from __future__ import annotations

from typing import Protocol

from replfix.core.binlog.row_event import Transaction
from replfix.core.connection.privileges import Need
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.core.replication.start_threads import Threads
from replfix.core.replication.transaction_id import TransactionId
from replfix.mysql.connection.session import Session


class Dialect(Protocol):
    """One family. Methods that take a session ask the server; the others only know words."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """The privileges that replfix uses there."""
        ...

    @property
    def changeable(self) -> tuple[str, ...]:
        """Global variables that may have to be 0 for a write."""
        ...

    def identity(self, session: Session) -> str:
        """What tells the server from others of its topology: server_uuid, or what stands for it."""
        ...

    def executed(self, session: Session) -> GtidSet:
        """What the server has executed."""
        ...

    def purged(self, session: Session) -> GtidSet:
        """What its binary logs no longer hold."""
        ...

    def status(self, session: Session) -> ReplicaStatus:
        """Every channel of a replica. ReplicationError when the server has none."""
        ...

    def workers(self, session: Session) -> int:
        """How many threads of a channel apply at the same time; 0 for one without workers."""
        ...

    def start(
        self,
        channel: str,
        threads: Threads,
        *,
        until: TransactionId | None = None,
        before: TransactionId | None = None,
        gaps: bool = False,
    ) -> tuple[str, ...]:
        """What starts threads of one channel. ``until``: the applier stops after that transaction, ``before``: before it,
        ``gaps``: when all is applied that is before the last one committed."""
        ...

    def stop(self, channel: str, threads: Threads) -> str:
        """What stops them; those that are stopped already are none of its business."""
        ...

    def as_transaction(self, transaction: Transaction) -> tuple[str, ...]:
        """What makes a session apply events under the name of that transaction; said behind the BINLOG of the
        Format_description event."""
        ...

    def aim_skip_counter(self, channel: str) -> tuple[str, ...]:
        """What makes a session mean that channel's skip counter."""
        ...

    def fires_triggers(self, session: Session) -> bool:
        """Whether row events fire the replica's triggers, in BINLOG statements too."""
        ...

    def reset_gtid_next(self) -> tuple[str, ...]:
        """What ends that."""
        ...
