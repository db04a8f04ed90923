"""The rows are right: the source replaced a row that others reference, and logged what no applier can execute."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.words import counted

CODE = "replaced-parent"


def examine(evidence: Evidence) -> Cause | None:
    found = evidence.reconciliation
    if found is None or not found.replaced:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The source replaced a row that others reference (REPLACE), and logged that as a delete and an insert: the replica rejects the delete.",
        (
            *(
                f"The transaction deletes the row of {each.foreign_key.parent} with that key and writes one with the same key; "
                f"{counted(each.children, 'row')} of {each.foreign_key.child} on the replica "
                f"{'reference' if each.children > 1 else 'references'} it ({each.foreign_key.name}: {each.key})."
                for each in found.replaced
            ),
            "MySQL 9.6 and later lets that pass on the source, where it checks foreign keys at the end of the statement; a replica checks them at each row event.",
        ),
    )
