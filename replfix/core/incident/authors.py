"""Who wrote a row on the replica: its own binlog, compared with the conflicts."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.binlog.row_event import RowChange, Transaction
from replfix.core.conflicts.reconcile import Conflict, Identity, identity_values
from replfix.core.incident.evidence import Evidence

_Writes = dict[Identity, tuple[Transaction, RowChange]]


@dataclass(frozen=True, slots=True)
class Authorship:
    """A transaction that was written on the replica itself, and its last change to a conflicting row."""

    conflict: Conflict
    transaction: Transaction
    change: RowChange

    def in_words(self) -> str:
        """Say who wrote the row, with the time and the connection."""
        thread = f", connection {self.transaction.thread_id}" if self.transaction.thread_id is not None else ""
        key = ", ".join(self.conflict.key_columns) or "the whole row"
        own = self.transaction.gtid is None
        so = "; it has the replica's own server_id" if own else ", and the source has not executed that transaction"
        return (
            f"The replica's own binlog has the {self.change.kind} of this {self.change.table} row ({key}) in "
            f"{self.transaction.id}, written on the replica at {self.transaction.committed_at:%Y-%m-%d %H:%M:%S} UTC"
            f"{thread}{so}."
        )


def authors(evidence: Evidence) -> tuple[Authorship, ...]:
    """Return, for each conflict whose row a local transaction wrote or deleted, the last one that did."""
    if evidence.reconciliation is None:
        return ()
    wrote, removed = _last_writes(evidence)
    found: list[Authorship] = []
    for conflict in evidence.reconciliation.conflicts:
        row, writes = (conflict.expected, removed) if conflict.replica_row is None else (conflict.replica_row, wrote)
        values = identity_values(evidence.tables[conflict.table], row) if row is not None else None
        if values is not None and (last := writes.get((conflict.table, values))) is not None:
            found.append(Authorship(conflict, *last))
    return tuple(found)


def _last_writes(evidence: Evidence) -> tuple[_Writes, _Writes]:
    """Return the last local change that left a row of that identity, and the last that found one.

    Both sides can have 100,000 rows, so they are never compared one by one.
    """
    wrote: _Writes = {}
    removed: _Writes = {}
    for transaction in evidence.local_writes:
        for change in transaction.changes:
            table = evidence.tables.get(change.table)
            if table is None:
                continue
            for image, writes in ((change.left, wrote), (change.before, removed)):
                if image is not None and len(image) == len(table.columns):
                    values = identity_values(table, image)
                    if values is not None:
                        writes[table.name, values] = (transaction, change)
    return wrote, removed


def all_local_writes_read(evidence: Evidence) -> bool:
    """Return whether every errant transaction was read: only then does "none of them wrote it" mean anything."""
    if evidence.transaction is not None and evidence.transaction.gtid is None:
        return False  # without GTIDs, nobody knows how many there are
    if evidence.unreachable is not None:
        return False  # nor without the source
    return len(evidence.local_writes) == len(evidence.ahead)
