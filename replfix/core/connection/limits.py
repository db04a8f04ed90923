"""How much a server may send, and how long it may delay a diagnosis: both are bounded, and a limit that is reached is reported."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest transaction and answer that are read; ``[limits]`` of replfix.toml has other ones.

    Measured with 10 columns of several types: 1,000,000 inserted rows are 82 MB of events and take 770 MB as values.
    """

    rows: int = 1_000_000
    values: int = 20_000_000  # rows × images × columns: a row of many NULLs is small as an event only
    bytes: int = 1 << 28  # of its events, uncompressed
    answer_bytes: int = 1 << 28  # to one statement
    diagnose_seconds: int = 1800  # all that a diagnosis asks of servers

    def rows_left(self, rows: int, values: int, images: int) -> int:
        """Return how many more rows of so many values may be decoded, after those that are."""
        return max(0, min(self.rows - rows, (self.values - values) // max(1, images)))

    def check(self, transaction: str, *, rows: int = 0, values: int = 0, size: int = 0) -> None:
        """:class:`Unreadable` when one of them is more than this."""
        for found, most, what, key in (
            (rows, self.rows, "rows", "transaction_rows"),
            (values, self.values, "values", "transaction_values"),
            (size, self.bytes, "bytes of events", "transaction_bytes"),
        ):
            if found > most:
                raise Unreadable(
                    f"Transaction {transaction} has {found:,} {what} or more: replfix reads transactions of up to "
                    f"{most:,} {what}.",
                    f"{raised(key)} Or look at this transaction with mysqlbinlog; rows that differ after it can be compared table by "
                    "table.",
                )


def raised(key: str, given: str = "this machine has the memory") -> str:
    """Return the hint for a limit that was reached: ``key`` raises it."""
    return f"If {given}: {key} in [limits] of replfix.toml raises that."


LIMITS = Limits()
