"""The replica has a unique key that the source lacks, or a stricter one: rows that the source can have collide here."""

from __future__ import annotations

from datetime import UTC, datetime

from replfix.core.conflicts.apart_by_key import enforces
from replfix.core.conflicts.reconcile import Conflict, ConflictKind
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.schema.table import Table
from replfix.core.sql.table_facts import CREATED
from replfix.core.words import shortened

CODE = "extra-unique-key"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude when no key by which the two rows collide is enforced on the source."""
    if evidence.reconciliation is None:
        return None
    duplicates = [c for c in evidence.reconciliation.conflicts if c.kind is ConflictKind.DUPLICATE]
    found = [c for c in duplicates if _only_here(evidence, c)]
    if not found:
        return None
    names = dict.fromkeys(c.table for c in found)
    made = [_made(evidence.around.source.fact(CREATED, name)) for name in names]
    transaction = evidence.transaction
    same = all(at is not None and transaction is not None and at <= transaction.committed_at for at in made)
    return Cause(
        CODE,
        Confidence.HIGH if same and len(found) == len(duplicates) else Confidence.MEDIUM,
        "The replica has a unique key that the source does not have: rows that the source can have collide here.",
        (
            *shortened(tuple(_in_words(evidence.tables[c.table], c) for c in found), "row"),
            "The source's definition is older than the transaction."
            if same
            else "The source's definition may be newer than the transaction: it may have had the key then.",
        ),
    )


def _made(seconds: str | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)


def _in_words(table: Table, conflict: Conflict) -> str:
    keys = ", ".join(f"{k.name} ({', '.join(k.columns)})" for k in table.unique_keys if k.name in conflict.keys)
    return f"Two rows of {table.name} collide by the unique key {keys}, which the source's table does not have."


def _only_here(evidence: Evidence, conflict: Conflict) -> bool:
    ours, theirs = evidence.tables[conflict.table], evidence.around.source.tables.get(conflict.table)
    if theirs is None:
        return False
    return not any(enforces(theirs, key) for key in ours.unique_keys if key.name in conflict.keys)
