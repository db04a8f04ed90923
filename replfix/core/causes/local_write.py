"""Someone wrote on the replica itself, and the write was logged there: it has a GTID that the source lacks."""

from __future__ import annotations

from replfix.core.authors import Authorship, authors
from replfix.core.diagnosis import Cause, Confidence
from replfix.core.evidence import Evidence
from replfix.core.reconcile import ConflictKind

CODE = "local-write"
RANK = 40
_SHOWN = 5


def _summary(found: tuple[Authorship, ...]) -> str:
    if all(a.conflict.replica_row is None for a in found):
        return "A row that the transaction needs was deleted on the replica itself."
    return "A row that is in the way was written on the replica itself."


def examine(evidence: Evidence) -> Cause | None:
    """The author found; or, with less confidence, writes of the replica's own that cannot all be read."""
    if evidence.reconciliation is None or not evidence.reconciliation.conflicts:
        return None
    own = evidence.errant.of_uuid(evidence.status.server_uuid)
    found = authors(evidence)
    if found:
        sentences = tuple(dict.fromkeys(a.in_words() for a in found))
        statements = tuple(
            f"The statement was logged with it: {query}"
            for query in dict.fromkeys(q for a in found for q in a.transaction.queries)
        )
        more = (f"… and {len(sentences) - _SHOWN} more rows.",) if len(sentences) > _SHOWN else ()
        return Cause(
            CODE,
            Confidence.HIGH,
            _summary(found),
            sentences[:_SHOWN] + more + statements[:_SHOWN],
        )
    # Rows that equal the incoming ones were applied before, however little of the replica's own writes can be read.
    conflicts = evidence.reconciliation.conflicts
    identical = all(c.kind is ConflictKind.DUPLICATE and not c.differences for c in conflicts)
    if own and not identical and len(evidence.local_writes) < len(evidence.errant):
        return Cause(
            CODE,
            Confidence.MEDIUM,
            "The replica was written to locally, perhaps this row too.",
            (
                f"The replica has transactions of its own that the source lacks: {own}.",
                f"Only {len(evidence.local_writes)} of {len(evidence.errant)} could be read from its binlog; none of "
                "those wrote this row.",
            ),
        )
    return None
