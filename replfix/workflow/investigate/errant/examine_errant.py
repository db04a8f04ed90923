"""Read-only: everything about the transactions that only the replica has, for ``replfix errant``."""

from __future__ import annotations

from contextlib import suppress

from replfix.core.remedies.errant_examination import Examination
from replfix.core.remedies.errant_options import Settlement, Writes, consequences, options
from replfix.core.remedies.errant_transactions import Errant, WayOut, in_words
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.errors import ReplfixError, ReplicationError
from replfix.ports import Clock, Progress, Replica, Server, SourceOf
from replfix.workflow.investigate.errant.compare_errant import compare_errant
from replfix.workflow.investigate.errant.find_errant import READING, Depth, channel_meant, errant, read_transactions
from replfix.workflow.investigate.errant.follow_errant import top_of
from replfix.workflow.investigate.errant.plan_writes import plan_writes

DEEP = Depth(shown=1_000, rows_kept=10_000, rows_read=200_000)
"""Transactions, the newest of each origin; rows that are kept of each; rows that are read of all."""


def examine_errant(
    replica: Replica, source_of: SourceOf, channel_name: str | None, clock: Clock, progress: Progress
) -> Examination:
    """Return the errant transactions with their rows on both servers, and the options.

    UsageError when there is no channel of that name; else raises as ``source_of`` does.
    """
    status = replica.status()
    channel = channel_meant(status, channel_name)
    if channel is None:
        raise ReplicationError(f"{replica.address} has no channel.")
    at = f"{channel.source_host}:{channel.source_port}"
    if status.gtid_mode == "OFF":
        return Examination(channel.name, at, None)
    progress(f"Comparing the GTID sets of the replica and of {at}")
    source = source_of(channel)
    strays = errant(replica, status, channel, source, source_of)
    if not strays.every:
        return Examination(channel.name, source.address, Errant(strays, (), ()))
    progress(f"{READING}: {in_words(strays.every)}")
    notes = list(strays.why)
    found = Errant(strays, read_transactions(replica, status, strays.every, notes, DEEP, progress), ())
    purged = strays.errant & replica.purged()
    compared = compare_errant(replica, source, found.of(strays.errant | strays.undecided), clock, progress)
    notes += compared.notes
    below, beside = replica.replicas_below(), _beside(source, status)
    ways: tuple[WayOut, ...] = ()
    # An option for some would be taken for all: where it is not known which are lost, there is none.
    if strays.errant and not strays.undecided:
        progress("Looking for what can be done")
        of = Settlement(status, channel, strays.errant, source.executed(), top_of(status, channel, source))
        different = compared.different
        writes = plan_writes(replica, source, status, channel, different) if different else Writes()
        ways = options(found, of, compared, writes, purged)
    return Examination(
        channel.name,
        source.address,
        Errant(strays, found.transactions, (), tuple(dict.fromkeys(notes))),
        purged,
        compared,
        below,
        beside,
        tuple(consequences(found, purged, below, beside)),
        ways,
    )


def _beside(source: Server, status: ReplicaStatus) -> tuple[str, ...]:
    """Return the other servers that read the source's binlog now, as far as it shows them."""
    with suppress(ReplfixError):
        readers = source.readers() or ()
        return tuple(str(reader) for reader in readers if reader.server_id != status.server_id)
    return ()
