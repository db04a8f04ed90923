"""Whether the source still has what is in a relay log that does not survive a start."""

from __future__ import annotations

from replfix.core.replication.mariadb_gtid import MariadbGtidSet, split
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.start_threads import Source
from replfix.core.replication.transaction_id import TransactionId
from replfix.errors import ConnectError, ReplfixError
from replfix.ports import Server, SourceOf


def source_holds(
    source_of: SourceOf, status: ReplicaStatus, channel: ChannelStatus, transaction: TransactionId | None
) -> tuple[Source, str]:
    """Return whether the source has what was in the relay log, and in words why not."""
    try:
        source = source_of(channel)
        return _held_by(source, status, channel, transaction)
    except ConnectError as error:
        return Source.UNREACHABLE, error.message
    except ReplfixError as error:
        return Source.UNREACHABLE, f"{error.message} {error.hint}".strip()


def _held_by(
    source: Server, status: ReplicaStatus, channel: ChannelStatus, transaction: TransactionId | None
) -> tuple[Source, str]:
    if channel.source_uuid and source.uuid() != channel.source_uuid:
        return Source.UNREACHABLE, f"{source.address} is not the server that the channel reads from."
    if channel.asks_from is None:
        lost = source.purged() - status.executed - channel.retrieved
        return (Source.LACKS, f"It has purged {lost}.") if lost else (Source.HOLDS, "")
    if transaction is not None and transaction.gtid is not None and _passed_over(channel.asks_from, transaction.gtid):
        said = f"The receiver would ask for what follows {channel.asks_from}, and {transaction} precedes that."
        return Source.LACKS, said
    reason = source.serves(channel)
    return (Source.LACKS, reason) if reason else (Source.HOLDS, "")


def _passed_over(position: str, gtid: str) -> bool:
    """By Current_Pos, the replica's own transactions count."""
    (domain, _), number = split(gtid)
    return any(each == domain and number <= last for (each, _), last in _newest(position))


def _newest(position: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return MariadbGtidSet.of_replica("", position, "").positions
