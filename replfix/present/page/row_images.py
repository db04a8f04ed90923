"""Images of one row that belong side by side: what is compared, and in which columns they differ."""

from __future__ import annotations

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.reconcile import Conflict
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import Step
from replfix.core.rows.row_values import NOT_LOGGED, NotRead, RowImage
from replfix.core.schema.table import Table
from replfix.present.page.page_model import Rows, Side

SOURCE_NOW = "source now"


def of_conflict(conflict: Conflict, source_row: RowImage | NotRead | None, table: Table) -> Rows:
    """Return every image of a conflict that there is: expected, incoming, on the replica and on the source."""
    sides = [
        Side(title, image)
        for title, image in (("expected", conflict.expected), ("incoming", conflict.incoming))
        if image is not None
    ]
    sides += [Side("replica", conflict.replica_row), Side(SOURCE_NOW, source_row)]
    keys = {k.name: k.columns for k in table.unique_keys}
    return Rows(
        conflict.table,
        tuple(c.name for c in table.columns),
        tuple(c.column_type for c in table.columns),
        frozenset(conflict.differences),
        frozenset(conflict.key_columns).union(*(keys.get(name, ()) for name in conflict.keys)),
        tuple(sides),
    )


def of_change(change: RowChange, evidence: Evidence) -> Rows:
    """Return a row of the transaction as the event has it; columns by the event's names when the replica has no such table."""
    assert evidence.transaction is not None
    table = evidence.tables.get(change.table)
    names = evidence.transaction.column_names[change.table]
    sides = [
        Side(title, image) for title, image in (("before", change.before), ("after", change.after)) if image is not None
    ]
    identity = table.identity if table else None
    return Rows(
        change.table,
        names,
        tuple(c.column_type for c in table.columns) if table else ("",) * len(names),
        _differing(names, change.before, change.after),
        frozenset(identity.columns if identity else ()),
        tuple(sides),
    )


def of_step(step: Step, table: Table | None, server: str = "replica", after: str = "after this step") -> Rows:
    """Return the row of a step on ``server`` as it is and as it will be; ``table`` None: without types and key."""
    identity = table.identity if table else None
    return Rows(
        step.table,
        step.columns,
        tuple(c.column_type for c in table.columns) if table else ("",) * len(step.columns),
        _differing(step.columns, step.current, step.target),
        frozenset(identity.columns if identity else ()),
        (Side(f"{server} now", step.current), Side(after, step.target)),
    )


def _differing(names: tuple[str, ...], one: RowImage | None, other: RowImage | None) -> frozenset[str]:
    if one is None or other is None:
        return frozenset()
    return frozenset(
        name
        for name, a, b in zip(names, one, other, strict=True)
        if a is not NOT_LOGGED and b is not NOT_LOGGED and (type(a) is not type(b) or a != b)
    )
