"""A transaction that a replica has received and not applied, when its source cannot be asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.schema.filters import NO_FILTERS
from replfix.errors import ReplicationError
from replfix.mysql.binlog import log_dialect, relayed
from replfix.mysql.binlog.assemble import Schema, Tables
from replfix.mysql.binlog.relay_log import holds_the_same, waiting_in
from replfix.mysql.connection.session import Session
from replfix.mysql.read.relay_files import RelayFiles


def received_the_same(session: Session, channel: ChannelStatus, transaction: Transaction) -> bool | None:
    """See ``ports.Replica.received``. Only from this host's disk: over SQL a file comes as a whole."""
    if channel.filters != NO_FILTERS or not channel.relay_log_file:
        return None
    try:
        files = RelayFiles(session, channel.relay_log_file)
        return (
            holds_the_same(files, channel.relay_log_pos, transaction, session.endpoint.limits)
            if files.on_disk
            else None
        )
    except ReplicationError:
        return None


_FROM_RELAY_LOG = "The transaction was read from the replica's relay log, not from the source."


def read_relayed(
    session: Session,
    tables: Tables,
    channel: ChannelStatus,
    gtid: str | None,
    end_log_pos: int | None,
) -> Transaction:
    """Do as ``ports.Replica.relayed``. Names that are not in the events come from the replica's own tables."""
    applied, files, schema = _relay_log(session, tables, channel)
    found = relayed(files, schema, gtid, end_log_pos, applied.log_file)
    if found is None:
        what = gtid or f"a transaction with an event that ends at {applied.log_file}:{end_log_pos}"
        raise ReplicationError(
            f"The relay log of {session.endpoint} does not have all of {what} (read from {channel.relay_log_file} on).",
            "It was not received in full, or is applied already.",
        )
    return replace(found, notes=(*found.notes, _FROM_RELAY_LOG))


def read_waiting(
    session: Session, tables: Tables, channel: ChannelStatus, executed: GtidSet
) -> Iterator[Transaction | PassedOver]:
    """Do as ``ports.Replica.waiting_here``, without the channel's filters."""
    applied, files, schema = _relay_log(session, tables, channel)
    yield from waiting_in(files, schema, applied, executed)


def _relay_log(session: Session, tables: Tables, channel: ChannelStatus) -> tuple[LogPosition, RelayFiles, Schema]:
    """Return where the applier is in the source's log, the relay log's files from there, and how to read them."""
    if channel.applied_to is None or not channel.relay_log_file:
        raise ReplicationError(f"The channel {channel.name!r} of {session.endpoint} has no relay log.")
    files = RelayFiles(session, channel.relay_log_file)
    charset_of = log_dialect(session).charset_of(session)
    return channel.applied_to, files, Schema(tables.columns_of, charset_of, session.endpoint.limits, tables.fill_in)
