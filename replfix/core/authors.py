"""Who wrote a row on the replica: its own binlog, held against the conflicts."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.evidence import Evidence
from replfix.core.reconcile import Conflict, identity_values
from replfix.core.row_event import RowChange, Transaction


@dataclass(frozen=True, slots=True)
class Authorship:
    """A transaction that was written on the replica itself, and its last change to a conflicting row."""

    conflict: Conflict
    transaction: Transaction
    change: RowChange

    def in_words(self) -> str:
        thread = f", connection {self.transaction.thread_id}" if self.transaction.thread_id is not None else ""
        key = ", ".join(self.conflict.key_columns)
        return (
            f"The replica's own binlog has the {self.change.kind} of this {self.change.table} row ({key}) in "
            f"{self.transaction.gtid}, written on the replica at {self.transaction.committed_at:%Y-%m-%d %H:%M:%S} UTC"
            f"{thread}, and the source does not have that transaction."
        )


def authors(evidence: Evidence) -> tuple[Authorship, ...]:
    """For each conflict whose row a local transaction wrote or deleted: the last one that did."""
    if evidence.reconciliation is None:
        return ()
    found = [_author(evidence, conflict) for conflict in evidence.reconciliation.conflicts]
    return tuple(a for a in found if a is not None)


def _author(evidence: Evidence, conflict: Conflict) -> Authorship | None:
    table = evidence.tables[conflict.table]
    row = conflict.replica_row if conflict.replica_row is not None else conflict.expected
    if row is None:
        return None
    wanted = identity_values(table, row)
    for transaction in reversed(evidence.local_writes):
        for change in reversed(transaction.changes):
            if change.table != conflict.table:
                continue
            images = (change.after,) if conflict.replica_row is not None else (change.before,)
            for image in images:
                if image is not None and len(image) == len(table.columns) and identity_values(table, image) == wanted:
                    return Authorship(conflict, transaction, change)
    return None


def all_local_writes_read(evidence: Evidence) -> bool:
    """True when every errant transaction was read: only then does "none of them wrote it" mean anything."""
    return len(evidence.local_writes) == len(evidence.errant)
