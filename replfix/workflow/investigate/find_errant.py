"""Read-only: the transactions that only the replica has, out of its own binlog."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.incident.stopped_channel import stopped_channel
from replfix.core.remedies.errant_transactions import Errant, ErrantTransaction, origin_of, ways_out
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.errors import ReplfixError, ReplicationError
from replfix.ports import Progress, Replica, Server, SourceOf
from replfix.workflow.investigate.follow_errant import only_here, top_of

SHOWN = 20
"""Transactions that are read and shown, the newest of each origin."""

SPARSE = 1_000
"""Numbers of each origin that are looked through where not every number is a transaction (MariaDB)."""

ROWS_KEPT = 100
"""Rows that are kept of each."""

ROWS_READ = 200_000
"""Rows after which no further transaction is read."""

_GROUP = ("group_replication_group_name", "group_replication_view_change_uuid")


def errant(
    replica: Replica, status: ReplicaStatus, channel: ChannelStatus, source: Server, source_of: SourceOf
) -> OnlyHere:
    """Return the replica's transactions that none of its sources has, nor the group that it is a member of.

    Those among them that are on their way to the source are kept apart. The replica's set has to be read before the
    sources': the other way round, a transaction that came in between would look errant. For a source of another channel
    that cannot be asked, what it wrote itself and what the channel received counts.
    """
    left = status.executed - source.executed()
    for other in status.channels:
        if left and other.name != channel.name:
            left = left - status.executed.of_uuid(other.source_uuid) - other.retrieved
            if left - status.executed.of_uuid(status.server_uuid):  # what the replica wrote itself is no source's
                with suppress(ReplfixError):
                    left = left - source_of(other).executed()
    if status.product == "MySQL" and left - status.executed.of_uuid(status.server_uuid):
        for group in replica.variables(_GROUP).values():  # its members write under its UUID, not their own (9.7.4)
            left = left - status.executed.of_uuid(group or "")
    return only_here(replica, status, source, left)


def find_errant(
    replica: Replica, source_of: SourceOf, channel_name: str | None, progress: Progress = lambda _: None
) -> Errant | None:
    """Return the errant transactions; none without GTIDs, where nobody can know. Raises as ``source_of`` does."""
    status = replica.status()
    channel = _meant(status, channel_name)
    if channel is None or status.gtid_mode == "OFF":
        return None
    source = source_of(channel)
    strays = errant(replica, status, channel, source, source_of)
    if not strays.every:
        return Errant(strays, (), ())
    progress("Reading the transactions that only the replica has")
    notes = list(strays.why)
    found = _read(replica, status, strays.every, notes)
    # A way out for some would be run for all: where it is not known which are lost, there is none.
    lost = strays.errant and not strays.undecided
    ways = ways_out(status, channel, strays.errant, source.executed(), top_of(channel, source)) if lost else ()
    return Errant(strays, found, ways, tuple(notes))


def _meant(status: ReplicaStatus, name: str | None) -> ChannelStatus | None:
    if name is not None:
        return status.channel(name)
    return stopped_channel(status) or next(iter(status.channels), None)


def _read(replica: Replica, status: ReplicaStatus, strays: GtidSet, notes: list[str]) -> tuple[ErrantTransaction, ...]:
    """Return the newest of them, newest first; those that are gone from the binlog last."""
    asked = strays.newest(SHOWN if strays.counts else SPARSE)
    read: list[Transaction | PassedOver] = []
    rows: dict[str, int] = {}
    try:
        for one in replica.readable(asked):
            assert one.gtid is not None  # only those were asked for
            if isinstance(one, Transaction):
                rows[one.gtid] = len(one.changes)
                one = replace(one, changes=one.changes[:ROWS_KEPT])
            read.append(one)
            if sum(rows.values()) > ROWS_READ:
                notes.append(
                    f"Reading ended with {one.gtid}, after {sum(rows.values()):,} rows: newer ones were not read."
                )
                break
    except ReplicationError as reason:
        notes.append(f"The replica's own binlog could not be read: {reason.message}")
    read.reverse()  # the log's order, where times are whole seconds (MariaDB)
    read.sort(key=lambda one: one.committed_at, reverse=True)
    shown = [_transaction(replica, status, asked, one, rows.get(str(one.gtid), 0)) for one in read[:SHOWN]]
    if strays.counts:
        purged = replica.purged()
        known = GtidSet.exactly(str(one.gtid) for one in read)
        for gtid in list((asked - known).newest_first())[: SHOWN - len(shown)]:
            why = "purged from the replica's binlog" if gtid in purged else "not found in the replica's binlog"
            shown.append(
                ErrantTransaction(
                    gtid, origin_of(gtid, asked, status), None, unknown=f"What is in it is unknown: {why}."
                )
            )
        if len(shown) < len(strays):
            notes.append(f"The newest {len(shown)} of {len(strays):,} are shown.")
    elif not shown:
        notes.append("They are not in the replica's binlog (any more).")
    return tuple(shown)


def _transaction(
    replica: Replica, status: ReplicaStatus, asked: GtidSet, one: Transaction | PassedOver, rows: int
) -> ErrantTransaction:
    gtid, thread = str(one.gtid), one.thread_id
    origin = origin_of(gtid, asked, status)
    if thread is not None and gtid in asked.of_uuid(status.server_uuid):
        origin += f" by connection {thread}"
        with suppress(ReplfixError):
            if (who := replica.connected_as(thread)) is not None:
                origin += f", which is open now as {who}"
    unknown = one.why if isinstance(one, PassedOver) and one.statement is None else ""
    return ErrantTransaction(gtid, origin, one, rows, unknown)
