"""One incoming row collides with several rows, each by another key: removing one only brings the next error."""

from __future__ import annotations

from collections import defaultdict

from replfix.core.conflicts.reconcile import Conflict, ConflictKind
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.words import shortened

CODE = "two-rows"


def examine(evidence: Evidence) -> Cause | None:
    if evidence.reconciliation is None:
        return None
    met: defaultdict[int, list[Conflict]] = defaultdict(list)
    for conflict in evidence.reconciliation.conflicts:
        if conflict.kind is ConflictKind.DUPLICATE:
            met[conflict.change].append(conflict)
    several = [conflicts for conflicts in met.values() if len(conflicts) > 1]
    if not several:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "One incoming row is in conflict with several rows of the replica; the error names only the first.",
        shortened(
            tuple(
                f"One row for {conflicts[0].table} meets {len(conflicts)} rows of the replica, by "
                f"{', '.join('/'.join(c.keys) for c in conflicts)}."
                for conflicts in several
            ),
            "row",
        ),
    )
