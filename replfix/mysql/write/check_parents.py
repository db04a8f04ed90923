"""What the server does not look at while a plan is carried out: that every row keeps its parents.

Steps run without foreign key checks, so that nothing cascades. The rows of the steps are locked before anything is looked at
here: whoever wants to write a child of one waits for that lock, and then finds its parent gone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.child_rows import Orphan, orphans_of, parents_wanted, released_keys
from replfix.core.plan.plan import Plan
from replfix.core.rows.row_diff import same
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted
from replfix.errors import RehearsalFailed, Stale
from replfix.mysql.connection.session import Session
from replfix.mysql.read.find_rows import find_all, find_now

NOTHING_CHANGED = "Nothing was changed. This case needs a human: see 'replfix diagnose' for the rows."
MADE_ANEW = "Nothing was changed. Run the command again for a new diagnosis."

Tables = Mapping[TableName, Table]


def compare(session: Session, plan: Plan, tables: Tables) -> None:
    """Require that the children of rows that are deleted are those that the plan names; Stale otherwise."""
    known: dict[TableName, list[RowImage]] = {}
    for name, row in (*((s.table, s.current) for s in plan.steps), *((k.table, k.row) for k in plan.kept)):
        if row is not None:
            known.setdefault(name, []).append(row)
    lost = released_keys(plan.steps, tables)
    answers = find_all(session, tables, [held.children for held in lost])
    for held in lost:
        child, found = tables[held.foreign_key.child], answers[held.children]
        strangers = [row for row in found if not _among(child, row, known.get(child.name, []))]
        if strangers:
            raise Stale(
                f"{counted(len(strangers), 'row')} of {child.name} that the plan does not name "
                f"{'reference' if len(strangers) > 1 else 'references'} a row of {held.foreign_key.parent} which would go or get "
                f"another key ({held.foreign_key.name}: {held.children}).",
                MADE_ANEW,
            )


def _among(table: Table, row: RowImage, known: list[RowImage]) -> bool:
    return any(same(table, other, row) for other in known)


def check_parents(session: Session, plan: Plan, tables: Tables) -> None:
    """Require that every row that the plan wrote has its parents; RehearsalFailed otherwise."""
    for step, key, lookup in parents_wanted(plan.steps, tables):
        if Orphan.of(key, lookup) in plan.orphans:
            continue
        parent = tables.get(key.parent)
        if parent is None or not find_now(session, parent, lookup, locking=True):
            raise RehearsalFailed(
                f"The row of {step.table} that the plan writes references {key.parent} ({lookup}) by {key.name}, and there is "
                "no such row.",
                NOTHING_CHANGED,
            )


def check_children(session: Session, plan: Plan, changes: Iterable[RowChange], tables: Tables) -> None:
    """Require that no child of a deleted row is without a parent after plan and transaction; RehearsalFailed otherwise.

    Except those that have no parent on the source either, and those that the transaction wrote itself without foreign
    key checks.
    """
    unchecked: dict[TableName, list[RowImage]] = {}
    for change in changes:
        if not change.checks_foreign_keys and (written := change.left) is not None:
            unchecked.setdefault(change.table, []).append(written)
    lost = released_keys(plan.steps, tables)
    answers = find_all(session, tables, [held.children for held in lost])
    for held in lost:
        key, child = held.foreign_key, tables[held.foreign_key.child]
        left = [
            row
            for row in answers[held.children]
            if all(by != key for by, _ in orphans_of(child, row, plan.orphans))
            and not _among(child, row, unchecked.get(child.name, []))
        ]
        if left and not find_now(session, tables[key.parent], held.holders):
            raise RehearsalFailed(
                f"{counted(len(left), 'row')} of {key.child} would be left without a parent: {key.name} references "
                f"{key.parent} ({held.holders}), and no row with that key is there when the transaction is through.",
                NOTHING_CHANGED,
            )
