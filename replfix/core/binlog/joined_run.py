"""A run of transactions as one: planned together, rehearsed together, applied by the replica one after the other.

The changes are walked in their order, so what an earlier transaction of the run writes, deletes or frees is taken into account
just as within one transaction.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from replfix.core.binlog.row_event import RawEvents, RunMember, Transaction

_CREATED = slice(
    71, 75
)  # of a Format_description event: header 19, version 2, server version 50; then when it was written
_HEADER = 19
_CHECKSUM = 4


def joined(transactions: Sequence[Transaction]) -> Transaction:
    """Return the transactions as one, named by the first. A single one is returned as it is."""
    first = transactions[0]
    if len(transactions) == 1:
        return first
    return replace(
        first,
        changes=tuple(change for each in transactions for change in each.changes),
        column_names={name: names for each in transactions for name, names in each.column_names.items()},
        logged_types={name: types for each in transactions for name, types in each.logged_types.items()},
        raw=RawEvents(
            first.raw.format_description, tuple(events for each in transactions for events in each.raw.statements)
        ),
        notes=tuple(dict.fromkeys(note for each in transactions for note in each.notes)),
        queries=tuple(query for each in transactions for query in each.queries),
        members=tuple(RunMember(each.id, len(each.changes)) for each in transactions),
    )


def members_of(run: Transaction, changes: Iterable[int]) -> Iterator[int]:
    """Yield for each change, by its number in the run, the number of the transaction that it belongs to, from 0."""
    ends = tuple(accumulate(member.changes for member in run.members))
    yield from (bisect_right(ends, change) for change in changes)


class RunBuilder:
    """Transactions that are taken into a run as long as they fit to those that are in it."""

    def __init__(self, first: Transaction) -> None:
        self.transactions = [first]
        self.changes = len(first.changes)
        self._names = dict(first.column_names)
        self._types = dict(first.logged_types)

    def take(self, transaction: Transaction) -> str:
        """Add the transaction; return why that is not possible, by how it is logged, and empty when it was added."""
        if why := self._apart(transaction):
            return why
        self.transactions.append(transaction)
        self.changes += len(transaction.changes)
        self._names |= transaction.column_names
        self._types |= transaction.logged_types
        return ""

    def _apart(self, transaction: Transaction) -> str:
        first = self.transactions[0]
        if transaction.statements:
            return "it is logged as a statement, in part or as a whole"
        if transaction.prepared or transaction.xa_id:
            return "it is an XA transaction"
        if (transaction.gtid is None) != (first.gtid is None):
            return "it has no GTID" if transaction.gtid is None else "it has a GTID"
        for name, columns in transaction.column_names.items():
            if self._names.get(name, columns) != columns:
                return f"{name} has other columns in it"
            types = transaction.logged_types.get(name)
            if self._types.get(name, types) != types:
                return f"columns of {name} have other types in it"
        if not _same_format(transaction.raw.format_description, first.raw.format_description):
            return "the source logged it in another format"
        return ""


def _same_format(one: bytes, other: bytes) -> bool:
    """Return whether two Format_description events differ at most in when and where they were written."""

    def described(event: bytes) -> tuple[bytes, bytes]:
        return event[_HEADER : _CREATED.start], event[_CREATED.stop : -_CHECKSUM]

    return one == other or (len(one) == len(other) > _CREATED.stop and described(one) == described(other))
