"""A run of transactions out of the source's binlog, by its first one and how it is named."""

from __future__ import annotations

from replfix.core.binlog.joined_run import RunBuilder, joined
from replfix.core.binlog.row_event import Transaction
from replfix.core.plan.plan import covered
from replfix.core.replication.transaction_id import TransactionRun
from replfix.errors import ReplicationError
from replfix.ports import Server


def read_run(source: Server, first: Transaction | None, run: TransactionRun) -> Transaction:
    """Return the run as one transaction. ReplicationError where the log does not have exactly it after ``first``."""
    if first is None:
        raise ReplicationError(f"The first of {run.transactions:,} transactions up to {run.last} cannot be read.")
    read = RunBuilder(first)
    for transaction in source.transactions_from(first.id.end, run.transactions - 1):
        if why := read.take(transaction):
            raise ReplicationError(f"{transaction.id} cannot be taken together with {first.id}: {why}.")
    last = read.transactions[-1].id
    same = last.gtid == run.last.gtid if run.last.gtid is not None else last == run.last
    if len(read.transactions) != run.transactions or not same:
        raise ReplicationError(f"{source.address} does not have {covered(first.id, run)} one after the other.")
    return joined(read.transactions)
