"""The replica has already applied this transaction: after a crash, or repositioned too far back."""

from __future__ import annotations

from replfix.core.authors import authors
from replfix.core.diagnosis import Cause, Confidence
from replfix.core.evidence import Evidence
from replfix.core.reconcile import ConflictKind, final_rows

CODE = "applied-twice"
RANK = 10


def examine(evidence: Evidence) -> Cause | None:
    """Every row that the transaction leaves is on the replica, equal in all columns.

    Rows that the transaction only deletes prove nothing (they can be gone for another reason), and neither does a row
    that the replica's own binlog shows to be written locally.
    """
    found = evidence.reconciliation
    if evidence.transaction is None or found is None or not found.conflicts or authors(evidence):
        return None
    leaves_rows = any(row.image is not None for row in final_rows(evidence.transaction.changes, evidence.tables))
    duplicates = [c for c in found.conflicts if c.kind is ConflictKind.DUPLICATE]
    if leaves_rows and evidence.applied and all(evidence.applied):
        return Cause(
            CODE,
            Confidence.HIGH,
            "The replica already holds everything that this transaction writes: it was applied before.",
            (
                f"Every row that the transaction touches ({len(evidence.applied)}) stands on the replica exactly as the "
                "transaction leaves it.",
                f"{evidence.transaction.id} counts as not applied there, so the replica takes it as new.",
                "This happens after a crash that lost the position, or when the replica was set to an older position.",
            ),
        )
    if duplicates and all(not c.differences for c in found.conflicts) and len(duplicates) == len(found.conflicts):
        return Cause(
            CODE,
            Confidence.MEDIUM,
            "The rows that are in the way equal the incoming ones: the transaction may have been applied before.",
            (
                f"{len(duplicates)} conflicting rows are equal to the incoming rows, but only "
                f"{sum(evidence.applied)} of the {len(evidence.applied)} rows of the transaction stand as it leaves them.",
            ),
        )
    return None
