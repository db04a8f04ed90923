"""Changes of the source that the replica counts as applied, and that its rows do not show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.conflicts.row_history import Logged, Touch
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.provenance import Provenance, provenances

LEAVES_OTHERS = ("restored-copy", "skipped-transaction")
"""The causes that ``lost`` is the evidence of."""

REST_IS_MISSING = (
    "The replica lacks what other transactions wrote, or other rows of the same ones: a repair puts right only the rows that the "
    "failing transaction needs. Compare all tables with the source's, or set the replica up again."
)


@dataclass(frozen=True, slots=True)
class Lost:
    """A change that the replica counts as applied and did not make.

    ``ours`` is what the replica's own log has under that GTID; None: nothing.
    """

    of: Provenance
    change: Touch
    ours: Logged | None

    @property
    def in_words(self) -> str:
        """The finding for people."""
        by = self.change.by
        return (
            f"On the source, the {self.change.change.kind} in {by.gtid}, of {by.when}, is the newest change of this "
            f"{self.of.table.name} row that the replica counts as applied; its row is not as that change left it."
        )


def lost(evidence: Evidence) -> Iterator[Lost]:
    """Yield, for each conflict, the source's newest change of its row, when the replica's log has no such change."""
    log = evidence.around.replica_log
    if not evidence.around.logs_all:
        return
    for one in provenances(evidence):
        change = one.at_source
        if change is None or one.as_on_source:
            continue
        ours = log.of(change.by.gtid)
        if ours is None and change.by.gtid not in log.absent:
            continue
        if ours is not None and (
            ours.unread or any(t.by.gtid == ours.gtid for t in (log.touches or {}).get(one.row, ()))
        ):
            continue
        yield Lost(one, change, ours)
