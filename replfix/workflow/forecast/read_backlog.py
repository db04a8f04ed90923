"""The transactions that a channel has not applied: from the source's binlog, else from the replica's relay log."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.conflicts.ahead.forecast import Unscanned
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import MariadbGtidSet, split
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.transaction_id import TransactionId
from replfix.errors import ConnectError, PrivilegeError
from replfix.ports import Replica, Server, SourceOf

ALL = "The whole backlog"


@dataclass(slots=True)
class Backlog:
    """Where it is read, how many transactions it has (None: not known before the end), and what is not among them."""

    where: str
    transactions: Iterator[Transaction | PassedOver]
    count: int | None
    unscanned: tuple[Unscanned, ...] = ()
    source: Server | None = None  # None where it cannot be asked


def open_backlog(replica: Replica, source_of: SourceOf, status: ReplicaStatus, channel: ChannelStatus) -> Backlog:
    """Return the channel's backlog, to be read once.

    ``status`` was read before: what the replica applies meanwhile is in the backlog still. Errors while it is read are
    those of ``ports.binlogs``.
    """
    try:
        source = source_of(channel)
        theirs = source.executed()
    except PrivilegeError:
        raise
    except ConnectError as reason:
        return _relay_log(replica, status, channel, f"The source cannot be asked: {reason.message}", None)
    uuid = source.uuid()
    missing = theirs - status.executed
    by_gtid = channel.auto_position or (bool(channel.source_uuid) and uuid != channel.source_uuid)
    if by_gtid and status.executed.orders(theirs):
        if lost := missing & source.purged():
            return _relay_log(replica, status, channel, f"{source.address} has purged {lost}.", source)
        counted = len(missing) if missing.counts else None
        found = source.waiting(missing) if missing else iter(())
        return Backlog(source.address, _received(found, status, channel), counted, source=source)
    if channel.applied_to is None or not channel.applied_to.log_file or (uuid != channel.source_uuid):
        why = f"It is not known where in the binlog of {source.address} it begins."
        return Backlog(source.address, iter(()), 0, (Unscanned(ALL, why),), source)
    found = source.waiting_from(channel.applied_to)
    return Backlog(
        source.address, _received(_not_executed(found, status), status, channel), None, tuple(_gaps(channel)), source
    )


def _relay_log(
    replica: Replica, status: ReplicaStatus, channel: ChannelStatus, why: str, source: Server | None
) -> Backlog:
    rest = Unscanned("What the replica has not received yet", f"{why} The relay log was read in place of the binlog.")
    found = replica.waiting_here(channel, status.executed)
    count = None
    if channel.auto_position and channel.retrieved and channel.retrieved.counts:
        count = len(channel.retrieved - status.executed)
    return Backlog("the relay log", found, count, (rest, *_gaps(channel)), source)


def _gaps(channel: ChannelStatus) -> Iterator[Unscanned]:
    """Without GTIDs, the replica alone knows what its workers have committed beyond the position."""
    if channel.auto_position or channel.applied_to is None:
        return
    mark = max((worker.committed_to for worker in channel.workers), key=lambda at: at.order, default=None)
    if mark is not None and not mark <= channel.applied_to:
        yield Unscanned(
            f"Which transactions between {channel.applied_to} and {mark} are applied already",
            "Workers have committed transactions out of order, and without GTIDs only the replica knows which: all of them were "
            "taken as not applied.",
        )


def _not_executed(
    found: Iterator[Transaction | PassedOver], status: ReplicaStatus
) -> Iterator[Transaction | PassedOver]:
    return (one for one in found if not _is_executed(one, status.executed))


def _is_executed(one: Transaction | PassedOver, executed: GtidSet) -> bool:
    return isinstance(one, Transaction) and one.gtid is not None and one.gtid in executed


def _received(
    found: Iterator[Transaction | PassedOver], status: ReplicaStatus, channel: ChannelStatus
) -> Iterator[Transaction | PassedOver]:
    """Leave out what the channel's receiver leaves out: what this server wrote itself, ignored servers and domains."""
    left_out = {status.server_id, *map(int, channel.ignored_server_ids)}
    for one in found:
        if one.server_id in left_out:
            continue
        if one.gtid is not None and isinstance(status.executed, MariadbGtidSet) and "-" in one.gtid:
            try:
                (domain, _), _ = split(one.gtid)
            except ValueError:
                domain = ""
            if domain in channel.ignored_domains or (channel.only_domains and domain not in channel.only_domains):
                continue
        yield one


def id_of(one: Transaction | PassedOver) -> TransactionId:
    """Return what names it. Of one that was not read to its end, the end is not known: it is its start."""
    if isinstance(one, Transaction):
        return one.id
    gtid = None if one.gtid == f"{one.log_file}:{one.start_pos}" else one.gtid
    return TransactionId(gtid, one.log_file, one.start_pos, one.start_pos)
