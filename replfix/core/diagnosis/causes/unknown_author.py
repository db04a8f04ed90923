"""The replica's row is not the source's, and it is unknown who wrote it."""

from __future__ import annotations

from replfix.core.conflicts.reconcile import Conflict
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.authors import all_local_writes_read, authors
from replfix.core.incident.earlier_repairs import by_replfix
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.provenance import provenances
from replfix.core.rows.lookup import by_identity
from replfix.core.rows.row_diff import same
from replfix.core.words import counted

CODE = "unknown-author"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from rows that block and differ, while no errant transaction wrote them.

    A write with sql_log_bin=0 leaves no trace in any binlog, nor does a row that came with a restored backup.
    """
    if evidence.reconciliation is None:
        return None
    known = {id(a.conflict) for a in authors(evidence)}
    known |= {id(p.conflict) for p in provenances(evidence) if p.behind_the_log or p.as_logged}
    known |= {id(one.conflict) for one in by_replfix(evidence) if not one.earlier.on_source}
    orphans = [
        c
        for c in evidence.reconciliation.conflicts
        if c.replica_row is not None and c.differences and id(c) not in known and not _as_left(evidence, c)
    ]
    if not orphans:
        return None
    if evidence.transaction is not None and evidence.transaction.gtid is None:
        trace = "Without GTIDs, it is unknown which transactions only the replica has."
    elif evidence.unreachable is not None:
        trace = "The source could not be asked which transactions only the replica has."
    elif not evidence.ahead:
        trace = "The replica has no transaction that the source lacks."
    elif all_local_writes_read(evidence):
        trace = f"None of the replica's own transactions ({evidence.ahead}) wrote these rows."
    else:
        trace = (
            f"{len(evidence.local_writes)} of the replica's {len(evidence.ahead)} own transactions could be read; "
            "none of those wrote these rows."
        )
    return Cause(
        CODE,
        Confidence.HIGH if all_local_writes_read(evidence) else Confidence.LOW,
        "The replica has rows that differ from the source's, and it is unknown who wrote them.",
        (
            f"{counted(len(orphans), 'conflicting row')} of the replica, not equal to the incoming.",
            trace,
            "A write with sql_log_bin=0, a restored backup or a purged binlog leaves it like that.",
        ),
    )


def _as_left(evidence: Evidence, conflict: Conflict) -> bool:
    """Return whether the replica has the row as the transaction leaves it.

    Then the transaction was applied before, whatever its first change expects.
    """
    table, row = evidence.tables[conflict.table], conflict.replica_row
    lookup = by_identity(table, row) if row is not None else None
    image = evidence.final.images.get(lookup) if lookup is not None else None
    return row is not None and image is not None and same(table, image, row)
