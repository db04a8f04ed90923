"""The row that the transaction updates or deletes is not on the replica."""

from __future__ import annotations

from replfix.core.conflicts.reconcile import ConflictKind
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.authors import all_local_writes_read, authors
from replfix.core.incident.earlier_repairs import by_replfix
from replfix.core.incident.evidence import Evidence
from replfix.core.words import counted

CODE = "missing-row"


def examine(evidence: Evidence) -> Cause | None:
    found = evidence.reconciliation
    if found is None:
        return None
    missing = [c for c in found.conflicts if c.kind is ConflictKind.MISSING]
    if not missing:
        return None
    wrote = [a for a in authors(evidence) if a.conflict.kind is ConflictKind.MISSING]
    taken = {id(one.conflict) for one in by_replfix(evidence) if not one.earlier.on_source}
    if all(id(conflict) in taken for conflict in missing):
        who: tuple[str, ...] = ()  # repaired-before says it
    elif wrote:
        who = tuple(a.in_words() for a in wrote)
    elif all_local_writes_read(evidence):
        who = (
            "No transaction of the replica's own deleted it: it was deleted with sql_log_bin=0, never arrived, or its "
            "transaction was skipped.",
        )
    else:
        who = ("Not all of the replica's own transactions could be read, so it is unknown who deleted it.",)
    tables = ", ".join(dict.fromkeys(str(c.table) for c in missing))
    return Cause(
        CODE,
        Confidence.HIGH,
        "A row that the transaction references is not on the replica."
        if all(c.foreign_key for c in missing)
        else "A row that the transaction changes is not on the replica.",
        (f"{counted(len(missing), 'row')} looked up by key and not found in {tables}.", *who),
    )
