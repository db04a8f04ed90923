"""A backlog rehearsed in batches: one that fails is divided until one transaction fails alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from replfix.core.binlog.row_event import Transaction
from replfix.core.replication.applier_error import ApplierError

TRANSACTIONS = 50
"""In one batch at the most: of one-row transactions the server executes 45,000 a second so, and 8,300 one by one (9.7.4)."""
ROWS = 5_000
"""In a batch of several transactions at the most: what a failing one undoes and executes again."""

Run = Callable[[Sequence[Transaction]], ApplierError | None]
"""Executes transactions; on an error none of them, and the error is returned."""


def in_batches(
    transactions: Sequence[Transaction],
    run: Run,
    *,
    takes: Callable[[Transaction], bool],
    left_out: Callable[[int], None],
    failed: Callable[[int, ApplierError], bool],
    goes_on: Callable[[int], bool],
) -> int:
    """Execute transactions in their order, and return how many were looked at: executed, left out, or failed.

    ``takes``: whether one is executed; else it is ``left_out``, by its place. ``failed`` gets the place of one that
    fails alone, and returns whether to go on; where not, that one does not count. ``goes_on`` is asked before each
    batch, with the number of those that are done.
    """
    at, size = 0, TRANSACTIONS
    failing = 0  # one between here and the place ``at`` fails; before ``at``: that is not known of any
    while at < len(transactions) and goes_on(at):
        if failing > at:
            size = max((failing - at) // 2, 1)
        batch = _batch(transactions, at, size, takes)
        if not batch:
            left_out(at)
            at += 1
        elif (error := run(batch)) is None:
            at += len(batch)
            size = min(2 * size, TRANSACTIONS)
        elif len(batch) > 1:
            failing = at + len(batch)
        elif not failed(at, error):
            break
        else:
            at, size, failing = at + 1, 1, 0
    return at


def _batch(
    transactions: Sequence[Transaction], at: int, size: int, takes: Callable[[Transaction], bool]
) -> Sequence[Transaction]:
    """Return the next transactions, up to one that is not taken: what that one means for later ones is to be known first."""
    rows, end = 0, at
    while end < len(transactions) and end - at < size and takes(transactions[end]):
        rows += len(transactions[end].changes)
        if rows > ROWS and end > at:
            break
        end += 1
    return transactions[at:end]
