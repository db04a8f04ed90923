"""What PostgreSQL 18 calls a conflict in logical replication, where it has a name for the same thing.

Source: its manual, "Logical Replication: Conflicts". Its ``…_origin_differs`` are about who wrote the row last, not about its
values: they are used only where that is known.
"""

from __future__ import annotations

from collections import defaultdict

from replfix.core.conflicts.ahead.forecast import Ahead, Forecast
from replfix.core.conflicts.reconcile import ConflictKind
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.schema.table import TableName

_Row = tuple[TransactionId, TableName, int]


def postgresql_names(found: Forecast) -> tuple[str | None, ...]:
    """Return the name of each conflict, in their order; None where PostgreSQL has none for it, or it is not known."""
    known = {place for group in found.groups if group.author is not None for place in group.conflicts}
    keys: dict[_Row, set[str]] = defaultdict(set)
    for ahead in found.conflicts:
        if ahead.conflict.kind is ConflictKind.DUPLICATE:
            keys[_row(ahead)].update(ahead.conflict.keys)
    return tuple(
        _name(ahead, several=len(keys[_row(ahead)]) > 1, author_known=place in known)
        for place, ahead in enumerate(found.conflicts)
    )


def _row(ahead: Ahead) -> _Row:
    return ahead.transaction, ahead.conflict.table, ahead.conflict.change


def _name(ahead: Ahead, *, several: bool, author_known: bool) -> str | None:
    conflict = ahead.conflict
    match conflict.kind:
        case ConflictKind.DUPLICATE if several:
            return "multiple_unique_conflicts"
        case ConflictKind.DUPLICATE:
            return "insert_exists" if conflict.expected is None else "update_exists"
        case ConflictKind.MISSING if not conflict.foreign_key:
            return "delete_missing" if conflict.incoming is None else "update_missing"
        case ConflictKind.DIFFERENT if author_known:
            return "delete_origin_differs" if conflict.incoming is None else "update_origin_differs"
        case _:
            return None
