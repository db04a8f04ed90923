"""What the replica wrote itself, in search of who wrote a row."""

from __future__ import annotations

from contextlib import suppress

from replfix.core.binlog.row_event import Transaction
from replfix.core.replication.gtid import GtidSet
from replfix.errors import PrivilegeError, ReplicationError, Unreadable
from replfix.ports import Replica

LOCAL_WRITES_READ = 1000
"""How many of the replica's own transactions are read in search of who wrote a row; the newest ones."""

LOCAL_WRITES_TRIED = 100
"""How many of them are tried one by one, when one of them cannot be read."""


def local_writes(replica: Replica, strays: GtidSet, unknowns: list[str]) -> tuple[Transaction, ...]:
    """Return the newest of the errant transactions, in the log's order; those that cannot be read are noted."""
    newest = strays.newest(LOCAL_WRITES_READ)
    if len(newest) < len(strays):
        unknowns.append(f"Of {len(strays)} transactions that only the replica has, the newest {len(newest)} were read.")
    try:
        return tuple(replica.transactions(newest, LOCAL_WRITES_READ))
    except Unreadable as reason:
        unknowns.append(f"Not every transaction of the replica's own can be read: {reason.message}")
        return _readable(replica, newest)
    except ReplicationError as reason:
        unknowns.append(f"The replica's own binlog could not be read: {reason.message}")
        return ()


def local_writes_by_server_id(replica: Replica, server_id: int, unknowns: list[str]) -> tuple[Transaction, ...]:
    """Without GTIDs: what has the replica's own server_id."""
    try:
        return replica.written_here(server_id, LOCAL_WRITES_READ)
    except (ReplicationError, PrivilegeError) as reason:
        unknowns.append(f"The replica's own binlog could not be read: {reason.message}")
        return ()


def _readable(replica: Replica, gtids: GtidSet) -> tuple[Transaction, ...]:
    """Read one by one, newest first, leaving out what cannot be read (a statement, DDL); return them in the log's order."""
    read: list[Transaction] = []
    for _, gtid in zip(range(LOCAL_WRITES_TRIED), gtids.newest_first(), strict=False):
        with suppress(ReplicationError):
            read.append(replica.transaction(gtid))
    return tuple(reversed(read))
