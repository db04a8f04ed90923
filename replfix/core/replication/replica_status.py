"""The state of a replica, as frozen types, in the terms of MySQL 8.4+.

``mysql/connection/terms.py`` maps the older terms.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from replfix.core.replication import applier_error
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition, TransactionId
from replfix.core.replication.worker_gaps import WorkerProgress
from replfix.core.schema.filters import NO_FILTERS, Filters

WORKER_STOPPED_BY_ANOTHER = {1756, 3030}
"""Errors of a worker that only says that another one failed: ER_MTA_INCONSISTENT_DATA, ER_WORKER_STOPPED_PREVIOUS."""


class ReceiverState(enum.StrEnum):
    """The state of a channel's receiver."""

    RUNNING = "running"
    CONNECTING = "connecting"
    STOPPED = "stopped"


class RelayLog(enum.StrEnum):
    """What becomes of a channel's relay log when its threads are started."""

    KEPT = "kept"
    KEPT_WHILE_RUNNING = "kept while one thread runs"  # deleted when any thread is started while both are down
    REPLACED = "deleted with every restart"  # the applier alone must not be started: both are stopped and started


@dataclass(frozen=True, slots=True)
class WorkerError:
    """A row of performance_schema.replication_applier_status_by_worker with LAST_ERROR_NUMBER <> 0.

    Worker 0 is the coordinator; its error counts only when no worker has it.
    """

    worker: int
    errno: int
    message: str
    gtid: str | None
    or_gtids: tuple[str, ...] = ()
    is_next: bool = False
    """On MariaDB: no other transaction is in the relay log between the applier's place and it. Positions do not show that in a
    circle, where the receiver leaves out what the server wrote itself."""
    at: datetime | None = None
    """When it failed, by the replica's clock; None: the server does not record it (MariaDB)."""


@dataclass(frozen=True, slots=True)
class ChannelStatus:
    """The state of one replication channel."""

    name: str
    source_host: str
    source_port: int
    source_uuid: str
    receiver: ReceiverState
    applier_running: bool
    lag_seconds: int | None  # None when the applier does not run or the receiver is not connected
    receiver_errno: int
    receiver_message: str
    applier_errno: int
    applier_message: str
    worker_errors: tuple[WorkerError, ...]
    retrieved: GtidSet
    auto_position: bool
    delay_seconds: int = 0  # SOURCE_DELAY
    group_replication: bool = False
    filters: Filters = NO_FILTERS
    applied_to: LogPosition | None = None  # in the source's binlog: a low-water mark, exact once the applier stopped
    received_to: LogPosition | None = None
    workers: tuple[WorkerProgress, ...] = ()  # read only without GTIDs, of a channel that an error stopped
    has_end: bool = False  # the applier was started up to somewhere (UNTIL): when it gets there, it stops
    source_user: str = ""
    applies_as: str = (
        ""  # the account with whose privileges it applies, as `user`@`host`; empty: without privilege checks
    )
    relay_log_file: str = ""  # where the applier is; its name without a directory
    relay_log_pos: int = 0
    ignored_server_ids: tuple[int, ...] = ()  # what its receiver leaves out (IGNORE_SERVER_IDS)
    ignored_domains: tuple[str, ...] = ()  # MariaDB: IGNORE_DOMAIN_IDS
    only_domains: tuple[str, ...] = ()  # MariaDB: DO_DOMAIN_IDS; empty for all
    relay_log: RelayLog = RelayLog.KEPT
    asks_from: str | None = (
        None  # the GTID position that its receiver begins with when it is started; None: by position
    )
    read_by_position: tuple[str, ...] = ()  # by hand: the applier reads this relay log by position, which keeps it
    all_read: bool = False  # the applier has read all of the relay log, and waits for more

    @property
    def failure(self) -> ApplierError | None:
        """The error that stopped the applier, None when it runs or was stopped by hand.

        The coordinator only says "see performance_schema", so a worker's own words come first; of several workers
        the one that is earliest in the source's log: the others cannot commit before it.
        """
        if self.applier_running:
            return None
        errors = [
            applier_error.parse(w.errno, w.message, w.gtid, w.or_gtids)
            for w in self.worker_errors
            if w.errno not in WORKER_STOPPED_BY_ANOTHER
        ]
        if errors:
            at = self.applied_to.log_file if self.applied_to is not None else ""
            return min(errors, key=lambda e: LogPosition(e.log_file or at, e.end_log_pos or 0))
        if self.applier_errno:
            return applier_error.parse(self.applier_errno, self.applier_message)
        return None

    @property
    def failed_at(self) -> datetime | None:
        """When the applier failed, by the replica's clock; None: it has not, or the server does not record it (MariaDB)."""
        if self.failure is None:
            return None
        times = (w.at for w in self.worker_errors if w.errno not in WORKER_STOPPED_BY_ANOTHER)
        return min((at for at in times if at is not None), default=None)

    @property
    def caught_up(self) -> bool:
        """Whether all that was received is applied, by positions: they lag behind while the applier runs."""
        return self.applied_to is not None and self.received_to is not None and self.received_to <= self.applied_to

    def stands_at(self, transaction: TransactionId) -> bool:
        """Return whether the next transaction for the applier is this one."""
        return self.applied_to == transaction.start or any(
            error.is_next and error.gtid == transaction.gtid for error in self.worker_errors
        )

    def committed_behind(self, transaction: TransactionId) -> LogPosition | None:
        """How far workers have committed transactions after this one, at most (replica_preserve_commit_order=OFF).

        Only without GTIDs: there, the replica alone knows which they are. It keeps count until the applier is started
        with another end than SQL_AFTER_MTS_GAPS, or fails before it gets there (9.7.4).
        """
        mark = max((worker.committed_to for worker in self.workers), key=lambda at: at.order, default=None)
        if transaction.gtid is not None or mark is None or mark <= transaction.end:
            return None
        return mark

    def holds_whole(self, transaction: TransactionId) -> bool | None:
        """Return whether all of the transaction is in the relay log; None when that is unknown."""
        if transaction.gtid is not None and transaction.gtid in self.retrieved:
            return True
        if transaction.gtid is not None and self.retrieved.counts:
            return False
        if not transaction.log_file or self.received_to is None or not self.received_to.log_file:
            return None
        return transaction.end <= self.received_to

    @property
    def healthy(self) -> bool:
        """Whether the applier runs, and the receiver neither has stopped nor has an error."""
        return self.applier_running and self.receiver is not ReceiverState.STOPPED and not self.receiver_errno


@dataclass(frozen=True, slots=True)
class ReplicaStatus:
    """The state of a replica and of all of its channels."""

    server_uuid: str  # of MariaDB: "server_id 2"
    server_id: int
    version: str
    gtid_mode: str
    read_only: bool
    super_read_only: bool
    executed: GtidSet
    channels: tuple[ChannelStatus, ...]
    strict: bool = False  # MariaDB: gtid_strict_mode

    @property
    def product(self) -> str:
        """MySQL or MariaDB."""
        return "MariaDB" if "mariadb" in self.version.lower() else "MySQL"

    def has_applied(self, channel: ChannelStatus, transaction: TransactionId) -> bool:
        """Return whether the channel has applied the transaction.

        Without GTIDs, and where they leave it open, by the channel's position. That only works while its applier is
        stopped: while it runs, its position lags behind.
        """
        if transaction.gtid is not None:
            if not self.executed.leaves_open(transaction.gtid):
                return transaction.gtid in self.executed
            failure = channel.failure
            if failure is not None and transaction.failed_with(failure):
                return False
        return channel.applied_to is not None and transaction.end <= channel.applied_to

    def stands_behind(self, channel: ChannelStatus, transaction: TransactionId) -> bool:
        """Return whether the applier stopped right after it: at the end of an UNTIL, or at its error and it was applied since."""
        if (failure := channel.failure) is not None:
            return transaction.failed_with(failure)
        if transaction.gtid is None:
            return channel.has_end and channel.applied_to == transaction.end
        return channel.has_end and self.executed.ends_with(transaction.gtid)

    def waiting_before(self, channel: ChannelStatus, transaction: TransactionId) -> str:
        """Return what the channel has received and not applied before the transaction, from the same origin; empty for none.

        Several workers apply at once: the one that fails need not be the first that is still to be committed.
        """
        if transaction.gtid is None:
            at = channel.applied_to
            return f"{at} to {transaction.start_pos}" if at is not None and at < transaction.start else ""
        return str(self.executed.uncommitted_before(transaction.gtid, channel.retrieved))

    def applying(self, name: str) -> bool:
        """Return whether the applier of that channel runs."""
        found = self.channel(name)
        return found is not None and found.applier_running

    def channel(self, name: str) -> ChannelStatus | None:
        """Return the channel of that name, None when there is none."""
        return next((c for c in self.channels if c.name == name), None)
