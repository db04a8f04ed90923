"""Images of one row that belong side by side: what is compared, and in which columns they differ."""

from __future__ import annotations

from dataclasses import replace

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.reconcile import Conflict
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import Step
from replfix.core.rows.row_values import NOT_LOGGED, NotRead, RowImage
from replfix.core.schema.table import Table
from replfix.core.words import counted
from replfix.present.page.detail import fits
from replfix.present.page.page_model import Rows, Side

SOURCE_NOW = "source now"


def of_conflict(conflict: Conflict, source_row: RowImage | NotRead | None, table: Table) -> Rows:
    """Return every image of a conflict that there is: expected, incoming, on the replica and on the source."""
    found = of_conflict_ahead(conflict, table)
    return replace(found, sides=(*found.sides, Side(SOURCE_NOW, source_row)))


def of_conflict_ahead(conflict: Conflict, table: Table) -> Rows:
    """Return the images of a conflict without the source's row of now."""
    sides = [
        Side(title, image)
        for title, image in (("expected", conflict.expected), ("incoming", conflict.incoming))
        if image is not None
    ]
    sides.append(Side("replica", conflict.replica_row))
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


def narrowed(rows: Rows, most: int | None) -> tuple[Rows, str]:
    """Return no more than ``most`` columns, and which are left out, in words; empty where all are there.

    The key comes first, then what differs: equal columns go where there are too many.
    """
    if fits(len(rows.columns), most):
        return rows, ""
    wanted = [c for c in rows.columns if c in rows.key] + [
        c for c in rows.columns if c in rows.differing and c not in rows.key
    ]
    shown = frozenset(wanted[:most])
    at = [n for n, column in enumerate(rows.columns) if column in shown]
    differ = len(rows.differing - shown)
    equal = len(rows.columns) - len(shown) - differ
    parts = (
        f"{counted(differ, 'more column')} {'differs' if differ == 1 else 'differ'}" if differ else "",
        f"{counted(equal, 'column')} {'is' if equal == 1 else 'are'} equal or not logged" if equal else "",
    )
    few = replace(
        rows,
        columns=tuple(rows.columns[n] for n in at),
        types=tuple(rows.types[n] for n in at),
        sides=tuple(
            replace(side, image=tuple(side.image[n] for n in at)) if isinstance(side.image, tuple) else side
            for side in rows.sides
        ),
    )
    return few, " and ".join(filter(None, parts))


def _differing(names: tuple[str, ...], one: RowImage | None, other: RowImage | None) -> frozenset[str]:
    if one is None or other is None:
        return frozenset()
    return frozenset(
        name
        for name, a, b in zip(names, one, other, strict=True)
        if a is not NOT_LOGGED and b is not NOT_LOGGED and (type(a) is not type(b) or a != b)
    )
