"""Transactions out of its own binary log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.binlog.row_event import PassedOver, Transaction
    from replfix.core.replication.gtid import GtidSet
    from replfix.core.replication.transaction_id import LogPosition


class BinlogReading(Protocol):
    """Transactions out of its own binary log."""

    def transaction(self, gtid: str, near: LogPosition | None = None) -> Transaction:
        """Return a transaction from this server's binlog. ReplicationError: not there (any more); Unreadable: not decodable.

        ``near``: a position in this log at which it may begin, or a little after which; only a hint.
        """
        ...

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        """Return those of ``gtids`` that are in this server's binlog, in the log's order, at most ``limit``."""
        ...

    def readable(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        """Do as ``transactions``, with a note in place of each transaction that is not decodable."""
        ...

    def transaction_at(self, low: LogPosition, end_log_pos: int, log_file: str = "") -> Transaction:
        """Return the transaction in which an event ends at ``end_log_pos``; without GTIDs the applier's error names no more.

        It is read forward from ``low``, which is the start of it or of an earlier transaction. Errors as
        ``transaction``.
        """
        ...

    def transactions_from(self, start: LogPosition, limit: int) -> Iterator[Transaction]:
        """Return at most ``limit`` transactions from ``start`` on, the start of one: a backlog without GTIDs."""
        ...

    def readable_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        """Do as ``transactions_from``, to the end of the log, with a note in place of each that is not decodable."""
        ...

    def waiting(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        """Do as ``readable``; a transaction that is logged as statements comes with these, and with what it has of rows."""
        ...

    def waiting_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        """Do as ``readable_from``; a transaction that is logged as statements comes as in ``waiting``."""
        ...

    def format_description(self) -> bytes:
        """Return the first binlog's Format_description event, fit for a BINLOG statement. Errors as ``transaction``."""
        ...
