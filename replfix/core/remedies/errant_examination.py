"""What ``errant`` concludes: the transactions, their rows on both servers, what follows, and the options."""

from __future__ import annotations

from dataclasses import dataclass, field

from replfix.core.remedies.errant_rows import RowComparison, Verdict
from replfix.core.remedies.errant_transactions import Errant, WayOut
from replfix.core.remedies.remedy import Remedy
from replfix.core.replication.gtid import GtidSet


@dataclass(frozen=True, slots=True)
class Examination:
    """``errant`` None: without GTIDs nobody knows. ``purged``: of the errant ones, what the replica's binlog no longer has."""

    channel: str
    source: str  # its address
    errant: Errant | None
    purged: GtidSet = field(default_factory=GtidSet)
    compared: RowComparison = field(default_factory=RowComparison)
    below: tuple[str, ...] = ()  # servers that replicate from the replica
    beside: tuple[str, ...] = ()  # other replicas of the source
    consequences: tuple[str, ...] = ()
    options: tuple[WayOut, ...] = ()

    @property
    def advice(self) -> tuple[Remedy, ...]:
        """The options as one list: a remedy that leads to the next step continues with the one after it."""
        return tuple(remedy for option in self.options for remedy in option.steps)

    @property
    def complete(self) -> bool:
        """Whether it is known of every transaction whether it is errant."""
        return self.errant is not None and not self.errant.only_here.undecided

    @property
    def looked_at_everything(self) -> bool:
        """Whether, beside that, every errant transaction was read and every row of them compared."""
        if self.errant is None or not self.complete:
            return False
        shown = self.errant.of(self.errant.gtids)
        every = not self.purged and (not self.errant.gtids.counts or len(shown) == len(self.errant.gtids))
        if (
            self.compared.undetermined
            or self.compared.not_compared
            or self.compared.left_out
            or self.compared.by_cascade
        ):
            return False
        return every and all(self.compared.verdict_of(one) is not Verdict.UNDETERMINED for one in shown)
