"""The part of a backlog that can be rehearsed, read before anything is executed: nothing is locked while it is read."""

from __future__ import annotations

from dataclasses import dataclass, field

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.conflicts.ahead.forecast import Unscanned
from replfix.core.replication.transaction_id import TransactionId
from replfix.errors import ReplicationError
from replfix.ports import Clock
from replfix.workflow.forecast.forecast_backlog import Bounds
from replfix.workflow.forecast.read_backlog import ALL, Backlog, id_of

_SHOWN = 200  # characters of a statement
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


def read_to_prove(backlog: Backlog, clock: Clock, bounds: Bounds) -> ToProve:
    """Read a backlog up to one of the bounds, or to a transaction that has more than rows of tables."""
    found, size, rows, begun = ToProve(), 0, 0, clock.now()
    try:
        for one in backlog.transactions:
            if why := _not_rows(one):
                found.ends = from_here(id_of(one), why)
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
        what = f"all transactions after {after}" if after is not None else ALL
        found.ends = Unscanned(what, f"The backlog could not be read further: {reason.message}")
    return found


def _not_rows(one: Transaction | PassedOver) -> str:
    """Return why the transaction cannot be rehearsed as a whole: a statement could commit what is to be rolled back."""
    if isinstance(one, PassedOver):
        return one.why
    if one.statements:
        return f"It was logged as a statement, and a statement is never rehearsed: {one.statements[0].text[:_SHOWN]}"
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
