"""The part of a backlog that can be rehearsed, read before anything is executed: nothing is locked while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.conflicts.ahead.forecast import Unscanned
from replfix.core.replication.mariadb_gtid import MariadbGtidSet, split
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.transaction_id import TransactionId
from replfix.errors import Refused, ReplicationError
from replfix.ports import Clock, Server
from replfix.workflow.forecast.bounds import Bounds

_BYTES_OF_A_TRANSACTION, _BYTES_OF_A_VALUE = 3_000, 80  # measured, CPython 3.11
_ALL_FROM = "all transactions from {} on"


@dataclass(slots=True)
class ToProve:
    """``transactions`` in the order of the log; ``ends`` says why there are no more of them; None: the backlog ends there."""

    transactions: list[Transaction] = field(default_factory=list)
    ends: Unscanned | None = None


def from_here(first: TransactionId, why: str) -> Unscanned:
    """Return that nothing is known from that transaction on."""
    return Unscanned(_ALL_FROM.format(first), why, since=first)


def read_to_prove(
    source: Server, status: ReplicaStatus, channel: ChannelStatus, clock: Clock, bounds: Bounds, *, by_gtid: bool
) -> ToProve:
    """Read the backlog up to one of the bounds, or to a transaction that has more than rows of tables.

    Refused where it is not known which transactions are applied already, or the source does not have them any more.
    """
    found, size, rows, begun = ToProve(), 0, 0, clock.now()
    try:
        for one in _of_the_channel(_backlog(source, status, channel, by_gtid=by_gtid), status, channel):
            if why := _not_rows(one):
                found.ends = from_here(_id_of(one), why)
                break
            assert isinstance(one, Transaction)  # a note has its reason
            rows += len(one.changes)
            size += _size(one)
            if why := _past(bounds, rows, clock.now() - begun, size):
                found.ends = from_here(one.id, why)
                break
            found.transactions.append(one)
    except ReplicationError as reason:
        after = found.transactions[-1].id if found.transactions else None
        what = f"all transactions after {after}" if after is not None else "the whole backlog"
        found.ends = Unscanned(what, f"The source's binlog could not be read further: {reason.message}")
    return found


def _backlog(
    source: Server, status: ReplicaStatus, channel: ChannelStatus, *, by_gtid: bool
) -> Iterator[Transaction | PassedOver]:
    theirs, executed = source.executed(), status.executed
    if by_gtid and executed.orders(theirs):
        missing = theirs - executed
        if lost := missing & source.purged():
            raise Refused(
                f"{source.address} has purged {lost} of the backlog: there is nothing to rehearse it from.",
                "Nothing was changed. Without --prove the relay log is read as well.",
            )
        return source.readable(missing) if missing else iter(())
    if channel.applied_to is None or not channel.applied_to.log_file or source.uuid() != channel.source_uuid:
        raise Refused(
            f"Where the backlog begins in the binlog of {source.address} is not known.", "Nothing was changed."
        )
    if any(channel.applied_to < worker.committed_to for worker in channel.workers):
        raise Refused(
            "Workers have committed transactions out of order, and without GTIDs only the replica knows which: what is still "
            "to be applied is not known.",
            "Nothing was changed. START REPLICA UNTIL SQL_AFTER_MTS_GAPS closes the gaps.",
        )
    found = source.readable_from(channel.applied_to)
    return (one for one in found if not (isinstance(one, Transaction) and one.gtid and one.gtid in executed))


def _of_the_channel(
    found: Iterator[Transaction | PassedOver], status: ReplicaStatus, channel: ChannelStatus
) -> Iterator[Transaction | PassedOver]:
    """Leave out what the channel's receiver does not fetch."""
    unfetched = {status.server_id, *channel.ignored_server_ids}
    for one in found:
        if one.server_id in unfetched:
            continue
        if one.gtid is not None and isinstance(status.executed, MariadbGtidSet):
            with suppress(ValueError):  # without a GTID, a note has a position in its place
                (domain, _), _ = split(one.gtid)
                if domain in channel.ignored_domains or (channel.only_domains and domain not in channel.only_domains):
                    continue
        yield one


def _not_rows(one: Transaction | PassedOver) -> str:
    """Return why the transaction cannot be rehearsed as a whole: a statement could commit what is to be rolled back."""
    if isinstance(one, PassedOver):
        return one.why
    if one.statements:
        return "It has statements beside its rows, and a statement is never rehearsed."
    if one.prepared:
        return f"It prepares the XA transaction {one.xa_id}, which is not rehearsed."
    return ""


def _past(bounds: Bounds, rows: int, seconds: float, size: int) -> str:
    if bounds.max_rows is not None and rows > bounds.max_rows:
        return f"A rehearsal of {bounds.max_rows:,} rows at the most was asked for (--max-rows)."
    if bounds.max_seconds is not None and seconds > bounds.max_seconds:
        return f"{bounds.max_seconds:,.0f} s went by while the backlog was read (--max-seconds)."
    if size > bounds.max_memory:
        return f"Its rows would take more than {bounds.max_memory >> 20:,} MiB of memory (--max-memory)."
    return ""


def _size(transaction: Transaction) -> int:
    """Return about how many bytes it takes in memory."""
    values = sum(len(image) for c in transaction.changes for image in (c.before, c.after) if image is not None)
    raw = sum(len(event) for events in transaction.raw.statements for event in events)
    return _BYTES_OF_A_TRANSACTION + _BYTES_OF_A_VALUE * values + raw


def _id_of(one: Transaction | PassedOver) -> TransactionId:
    if isinstance(one, Transaction):
        return one.id
    gtid = None if one.gtid == f"{one.log_file}:{one.start_pos}" else one.gtid
    return TransactionId(gtid, one.log_file, one.start_pos, one.start_pos)
