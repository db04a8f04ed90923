"""How large a transaction may be: what is held in memory at once is bounded, and the end of it is said in words."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest transaction that is read.

    Measured with 10 columns of several types: 1,000,000 inserted rows are 82 MB of events and take 770 MB as values.
    """

    rows: int = 1_000_000
    values: int = 20_000_000  # rows × images × columns: a row of many NULLs is small as an event only
    bytes: int = 1 << 28  # of its events, uncompressed

    def check(self, transaction: str, *, rows: int = 0, values: int = 0, size: int = 0) -> None:
        """:class:`Unreadable` when one of them is more than this."""
        for found, most, what in (
            (rows, self.rows, "rows"),
            (values, self.values, "values"),
            (size, self.bytes, "bytes of events"),
        ):
            if found > most:
                raise Unreadable(
                    f"Transaction {transaction} has {found:,} {what} or more: replfix reads transactions of up to "
                    f"{most:,} {what}.",
                    "Look at this transaction with mysqlbinlog; rows that differ after it can be compared table by table.",
                )


LIMITS = Limits()
