"""How a transaction is named: by its GTID, and without GTIDs by its position in the source's binlog."""

from __future__ import annotations

import re
from dataclasses import dataclass

from replfix.core.replication.applier_error import ApplierError

_NUMBERED = re.compile(r"(.*)\.([0-9]+)\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A byte in one server's binlog. Files count up: ``binlog.999999`` comes before ``binlog.1000000``."""

    log_file: str
    pos: int

    def __lt__(self, other: LogPosition) -> bool:
        return self.order < other.order

    def __le__(self, other: LogPosition) -> bool:
        return self.order <= other.order

    def __str__(self) -> str:
        return f"{self.log_file}:{self.pos}"

    @property
    def order(self) -> tuple[int, str, int]:
        """What sorts positions: files by number."""
        numbered = _NUMBERED.match(self.log_file)
        return (int(numbered[2]), numbered[1], self.pos) if numbered else (-1, self.log_file, self.pos)


@dataclass(frozen=True, slots=True)
class TransactionId:
    """``gtid`` as the server writes it, None on servers without GTIDs; positions are those of the source's binlog."""

    gtid: str | None
    log_file: str
    start_pos: int  # of its first event
    end_pos: int  # after its last event

    @property
    def start(self) -> LogPosition:
        """The position of its first event."""
        return LogPosition(self.log_file, self.start_pos)

    @property
    def end(self) -> LogPosition:
        """The position after its last event."""
        return LogPosition(self.log_file, self.end_pos)

    def __str__(self) -> str:
        return self.gtid or f"{self.log_file}:{self.start_pos}-{self.end_pos}"

    def failed_with(self, error: ApplierError) -> bool:
        """Return whether an applier's error is about it, or can be.

        The ``end_log_pos`` in an error is that of an event, so it is inside the transaction (9.7.4).
        """
        if error.gtid is not None:
            return self.gtid in (error.gtid, *error.or_gtids)
        inside = error.end_log_pos is not None and self.start_pos < error.end_log_pos <= self.end_pos
        return inside and error.log_file in (None, self.log_file)  # seen empty on 9.7


@dataclass(frozen=True, slots=True)
class TransactionRun:
    """Transactions that follow each other in the source's binlog, and that one plan covers. The first is the plan's own."""

    last: TransactionId
    transactions: int  # with the first and the last
