"""How large a transaction may be: what is held in memory at once is bounded, and the end of it is said in words."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.errors import Unreadable


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest transaction that is read."""

    rows: int = 1_000_000
    bytes: int = 1 << 30  # of its events, uncompressed

    def check(self, transaction: str, rows: int, size: int) -> None:
        """:class:`Unreadable` when so many rows, or so many bytes of events, are more than this."""
        for found, most, what in ((rows, self.rows, "rows"), (size, self.bytes, "bytes of events")):
            if found > most:
                raise Unreadable(
                    f"Transaction {transaction} has {found:,} {what} or more: replfix reads transactions of up to "
                    f"{most:,} {what}.",
                    "Look at this transaction with mysqlbinlog; rows that differ after it can be compared table by table.",
                )


LIMITS = Limits()
