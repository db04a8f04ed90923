"""The row to change is there, with other values; in a table without a key that alone stops the replica."""

from __future__ import annotations

from replfix.core.conflicts.reconcile import ConflictKind
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.words import counted

CODE = "row-differs"


def examine(evidence: Evidence) -> Cause | None:
    found = evidence.reconciliation
    if found is None:
        return None
    different = [c for c in found.conflicts if c.kind is ConflictKind.DIFFERENT]
    nameless = [c for c in found.conflicts if c.replica_row is None and evidence.tables[c.table].identity is None]
    if nameless:
        return Cause(
            CODE,
            Confidence.HIGH,
            "No row of the replica equals the one to change in every column; the table has no key to find it by.",
            (
                f"{nameless[0].table} has neither a primary key nor a unique key without NULLs: the applier looks for a row "
                "that equals the before image in full.",
                f"{counted(len(nameless), 'row')} not found like that: it is missing, or one of its columns differs. Without "
                "a key it is unknown which.",
            ),
        )
    if not different:
        return None
    columns = dict.fromkeys(f"{c.table}.{name}" for c in different for name in c.differences)
    return Cause(
        CODE,
        Confidence.HIGH,
        "A row that the transaction changes is on the replica, with other values than on the source.",
        (f"{counted(len(different), 'row')} found by key, not as the before image has them: {', '.join(columns)}.",),
    )
