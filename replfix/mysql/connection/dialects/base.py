"""The statements and answers in which the families of servers differ."""

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

    @property
    def own(self) -> tuple[str, ...]:
        """The questions that ``identity``, ``executed`` and ``purged`` ask, where there is one for each."""
        ...

    @property
    def channels(self) -> tuple[str, ...]:
        """The question for the channels, which is asked lossily."""
        ...

    @property
    def of_channels(self) -> tuple[str, ...]:
        """The others that ``status`` asks."""
        ...

    def identity(self, session: Session) -> str:
        """Return what distinguishes the server in its topology: server_uuid, or on MariaDB the server_id."""
        ...

    def executed(self, session: Session) -> GtidSet:
        """Return what the server has executed."""
        ...

    def purged(self, session: Session) -> GtidSet:
        """Return the GTIDs that its binary logs no longer contain."""
        ...

    def status(self, session: Session) -> ReplicaStatus:
        """Return every channel of a replica. ReplicationError when the server has none."""
        ...

    def workers(self, session: Session) -> int:
        """Return how many threads of a channel apply at the same time; 0 for one without workers."""
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
        """Return the statements that start threads of one channel.

        ``until``: the applier stops after that transaction, ``before``: before it, ``gaps``: when all is applied that
        is before the last one committed.
        """
        ...

    def stop(self, channel: str, threads: Threads) -> str:
        """Return the statement that stops threads; those that are stopped already cause no error."""
        ...

    def as_transaction(self, transaction: Transaction) -> tuple[str, ...]:
        """Return the statements after which a session applies events under the name of that transaction.

        To be executed after the BINLOG of the Format_description event.
        """
        ...

    def aim_skip_counter(self, channel: str) -> tuple[str, ...]:
        """Return the statements that make the skip counter that of this channel."""
        ...

    def fires_triggers(self, session: Session) -> bool:
        """Return whether row events fire the replica's triggers, in BINLOG statements too."""
        ...

    def as_itself(self) -> str:
        """Return the statement after which a session that applied events has no transaction's name or time any more."""
        ...

    def reset_gtid_next(self) -> tuple[str, ...]:
        """Return the statements that end ``as_transaction``."""
        ...
