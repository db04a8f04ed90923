"""Read-only: the transactions that only the replica has, out of its own binlog."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.incident.stopped_channel import channel_named, stopped_channel
from replfix.core.remedies.errant_transactions import Errant, ErrantTransaction, origin_of
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.words import Advance
from replfix.errors import ReplfixError, ReplicationError
from replfix.ports import Progress, Replica, Server, SourceOf
from replfix.workflow.investigate.errant.follow_errant import only_here, top_of


@dataclass(frozen=True, slots=True)
class Depth:
    """How much is read of the replica's binlog."""

    shown: int  # transactions, the newest of each origin
    rows_kept: int  # of each
    rows_read: int  # of all: after that, no further transaction is read


BRIEF = Depth(shown=20, rows_kept=100, rows_read=200_000)
"""For a diagnosis, which is about something else."""

SPARSE = 1_000
"""Numbers of each origin that are looked through where not every number is a transaction (MariaDB)."""

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
    from replfix.core.remedies.errant_options import ways_out  # what a status does not need

    status = replica.status()
    channel = channel_meant(status, channel_name)
    if channel is None or status.gtid_mode == "OFF":
        return None
    source = source_of(channel)
    strays = errant(replica, status, channel, source, source_of)
    if not strays.every:
        return Errant(strays, (), ())
    progress(READING)
    notes = list(strays.why)
    found = read_transactions(replica, status, strays.every, notes, BRIEF, progress)
    # A way out for some would be run for all: where it is not known which are lost, there is none.
    lost = strays.errant and not strays.undecided
    ways = ways_out(status, channel, strays.errant, source.executed(), top_of(status, channel, source)) if lost else ()
    return Errant(strays, found, ways, tuple(notes))


READING = "Reading the transactions that only the replica has"


def channel_meant(status: ReplicaStatus, name: str | None) -> ChannelStatus | None:
    """Return the channel of that name; without a name the first that an error stopped, else the first.

    UsageError when there is no channel of that name.
    """
    if name is not None:
        return channel_named(status, name)
    return stopped_channel(status) or next(iter(status.channels), None)


def read_transactions(
    replica: Replica, status: ReplicaStatus, strays: GtidSet, notes: list[str], depth: Depth, progress: Progress
) -> tuple[ErrantTransaction, ...]:
    """Return the newest of them, newest first; those that are gone from the binlog last."""
    asked, purged = strays.newest(depth.shown if strays.counts else SPARSE), replica.purged()
    read: list[Transaction | PassedOver] = []
    rows: dict[str, int] = {}
    ended, wanted = "", asked - purged
    total = len(wanted) if wanted.counts else None
    try:
        for one in replica.readable(wanted):
            progress(Advance(READING, len(read), total, "transactions"))
            assert one.gtid is not None  # only those were asked for
            if isinstance(one, Transaction):
                rows[one.gtid] = len(one.changes)
                one = replace(one, changes=one.changes[: depth.rows_kept])
            read.append(one)
            if sum(rows.values()) > depth.rows_read:
                ended = f"reading ended with {one.gtid}, after {sum(rows.values()):,} rows"
                notes.append(f"R{ended[1:]}: newer ones were not read.")
                break
    except ReplicationError as reason:
        ended = "the binlog could not be read"
        notes.append(f"The replica's own binlog could not be read: {reason.message}")
    read.reverse()  # the log's order, where times are whole seconds (MariaDB)
    read.sort(key=lambda one: one.committed_at, reverse=True)
    shown = [_transaction(replica, status, asked, one, rows.get(str(one.gtid), 0)) for one in read[: depth.shown]]
    if strays.counts:
        known = GtidSet.exactly(str(one.gtid) for one in read)
        for gtid in list((asked - known).newest_first())[: depth.shown - len(shown)]:
            gone = "purged from the replica's binlog" if gtid in purged else ""
            why = gone or ended or "not found in the replica's binlog"
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
