"""Values that the source's own table has twice in a unique key, and whether the replica's blocking row is one of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.conflicts.reconcile import ConflictKind
from replfix.core.incident.evidence import Evidence
from replfix.core.rows.lookup import by_identity, by_key
from replfix.core.rows.row_diff import same
from replfix.core.rows.row_values import NotRead
from replfix.core.schema.table import Table, UniqueKey


@dataclass(frozen=True, slots=True)
class HeldTwice:
    """``incoming`` and ``replica`` name the two rows."""

    table: Table
    key: UniqueKey
    value: str
    incoming: str
    replica: str


def held_twice(evidence: Evidence) -> Iterator[HeldTwice]:
    """Yield conflicts in which the source has both the replica's row and the incoming one, with the same value."""
    if evidence.reconciliation is None:
        return
    seen = set()
    for index, conflict in enumerate(evidence.reconciliation.conflicts):
        table, row = evidence.tables[conflict.table], conflict.replica_row
        theirs = evidence.around.also_there[index] if index < len(evidence.around.also_there) else None
        incoming = evidence.source_rows[index] if index < len(evidence.source_rows) else None
        if conflict.kind is not ConflictKind.DUPLICATE or row is None or theirs is None:
            continue
        if incoming is None or isinstance(incoming, NotRead):
            continue
        one, other = by_identity(table, theirs), by_identity(table, incoming)
        if one is None or other is None or one == other or not same(table, theirs, row):
            continue
        for key in table.unique_keys:
            value = by_key(table, key, theirs)
            if (
                value is None
                or value in seen
                or key.name not in conflict.keys
                or not _unique_there(evidence, table, key)
            ):
                continue
            if value == by_key(table, key, incoming):
                seen.add(value)
                yield HeldTwice(table, key, str(value), str(other), str(one))


def _unique_there(evidence: Evidence, table: Table, key: UniqueKey) -> bool:
    theirs = evidence.around.source.tables.get(table.name)
    return theirs is not None and any(other.parts == key.parts for other in theirs.unique_keys)
