"""Two values that the source takes for different are equal on the replica: its column has another collation."""

from __future__ import annotations

from replfix.core.conflicts.reconcile import Conflict, ConflictKind, identity_values
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Column
from replfix.core.words import shortened

CODE = "collation-differs"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from keys that differ in bytes, under collations that differ.

    Asked for the replica's value, the source does not find the incoming row.
    """
    if evidence.reconciliation is None:
        return None
    found = []
    for index, conflict in enumerate(evidence.reconciliation.conflicts):
        if conflict.kind is not ConflictKind.DUPLICATE:
            continue
        columns = _columns(evidence, conflict)
        if columns and not _twin_is_incoming(evidence, conflict, index):
            found.append((conflict, columns))
    if not found:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The replica compares a key under another collation than the source: different values are equal there.",
        shortened(
            tuple(
                f"{conflict.table}.{ours.name} is {ours.collation} on the replica and {theirs.collation} on the source. The incoming row and the replica's differ in it, and collide by the key {conflict.keys[0]}."
                for conflict, columns in found
                for ours, theirs in columns
            ),
            "column",
        ),
    )


def _columns(evidence: Evidence, conflict: Conflict) -> list[tuple[Column, Column]]:
    """Return the key's columns whose collations and values differ."""
    theirs = evidence.around.source.tables.get(conflict.table)
    ours, row, incoming = evidence.tables[conflict.table], conflict.replica_row, conflict.incoming
    if theirs is None or row is None or incoming is None or len(theirs.columns) != len(ours.columns):
        return []
    pairs = [(ours.column(name), theirs.columns[ours.column(name).ordinal]) for name in conflict.key_columns]
    return [(a, b) for a, b in pairs if a.collation != b.collation and row[a.ordinal] != incoming[a.ordinal]]


def _twin_is_incoming(evidence: Evidence, conflict: Conflict, index: int) -> bool:
    table, incoming = evidence.tables[conflict.table], conflict.incoming
    named = identity_values(table, incoming) if incoming is not None else None
    twins: tuple[RowImage, ...] = evidence.around.twins[index] if index < len(evidence.around.twins) else ()
    return any(identity_values(table, twin) == named for twin in twins)
