"""What a transaction with outdated rows (``core/conflicts/swapped_rows.py``) changes beside them.

Those changes can be made without the outdated rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core import sql
from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.net_rows import net_rows
from replfix.core.conflicts.reconcile import final_rows
from replfix.core.conflicts.swapped_rows import beside
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import SHOWN_ROWS, Step
from replfix.core.plan.plan_steps import steps_of
from replfix.core.remedies.by_hand import by_hand, one_thread_first
from replfix.core.remedies.remedy import LeadsTo, Remedy
from replfix.core.rows.lookup import Lookup, by_key
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import TableName
from replfix.core.words import counted
from replfix.errors import Refused


def changes_beside(evidence: Evidence) -> tuple[RowChange, ...]:
    """Return the changes beside them; empty where the replica has all of these rows as the transaction leaves them."""
    transaction = evidence.transaction
    if transaction is None or not evidence.swaps:
        return ()
    others = beside(evidence.swaps, transaction.changes, evidence.tables)
    held = dict(zip((row.lookup for row in evidence.final), evidence.applied, strict=False))
    return others if any(not held.get(row.lookup) for row in final_rows(others, evidence.tables)) else ()


def outdated(evidence: Evidence, others: tuple[RowChange, ...]) -> tuple[RowChange, ...]:
    """Return the transaction's changes but for ``others``."""
    assert evidence.transaction is not None
    kept = set(map(id, others))
    return tuple(change for change in evidence.transaction.changes if id(change) not in kept)


def steps_beside(evidence: Evidence, others: tuple[RowChange, ...]) -> tuple[tuple[Step, ...], str]:
    """Return the steps of these changes; no steps where they cannot be done alone, and why in words."""
    transaction, found = evidence.transaction, evidence.reconciliation
    if not others:
        return (), ""
    assert transaction is not None
    assert found is not None
    if transaction.statements:
        return (), "it has statements beside its rows"
    if transaction.logged is not None:
        return (), "the tables are not defined as they are on the source"
    if transaction.prepared:
        return (), "it is an XA transaction"
    if unknown := next((change.table for change in others if change.table not in evidence.tables), None):
        return (), f"rows of {unknown} were not compared"
    kept = set(map(id, others))
    if any(id(transaction.changes[conflict.change]) in kept for conflict in found.conflicts):
        return (), "rows of the replica conflict with them"
    gone = outdated(evidence, others)
    if tied := next(_tied(evidence, others, gone), None):
        return (), f"rows of {tied} depend on those that are left out"
    try:
        steps = tuple(steps_of(net_rows(others, evidence.tables, found.whole), evidence.tables))
    except Refused as error:
        return (), error.message.rstrip(".")
    if part := next((step for step in steps if not step.sql), None):
        return (), f"its events do not have all columns of a row of {part.table}"
    return steps, ""


def _tied(evidence: Evidence, others: tuple[RowChange, ...], gone: tuple[RowChange, ...]) -> Iterator[TableName]:
    """Yield tables whose rows take a key that one of the others frees, or that a foreign key ties to an outdated row."""
    tables = evidence.tables
    freed = {
        key for change in gone if change.before is not None for key in _keys(evidence, change.table, change.before)
    }
    theirs = {change.table for change in gone}
    for change in others:
        table = tables[change.table]
        tied = {key.parent for key in table.foreign_keys} | {key.child for key in table.referenced_by}
        taken = _keys(evidence, change.table, change.left) if change.left is not None else ()
        if tied & theirs or freed & set(taken):
            yield table.name


def _keys(evidence: Evidence, name: TableName, image: RowImage) -> Iterator[Lookup]:
    table = evidence.tables[name]
    found = (by_key(table, key, image) for key in table.unique_keys)
    return (lookup for lookup in found if lookup is not None)


def carried_out(evidence: Evidence, others: tuple[RowChange, ...]) -> tuple[tuple[Step, ...], str]:
    """Return them where replfix can commit them under the transaction's GTID."""
    steps, why_not = steps_beside(evidence, others)
    if not steps:
        return (), why_not
    transaction = evidence.transaction
    if evidence.status.product != "MySQL" or transaction is None or transaction.gtid is None:
        return (), "replfix can make them without the others only on MySQL, where the transaction has a GTID"
    if evidence.not_as_events:
        return (), f"they cannot be written as events: {evidence.not_as_events[0].rstrip('.')}"
    return steps, ""


def next_step(evidence: Evidence) -> str:
    """Return what to do in place of applying the transaction."""
    return f"{_next_step(evidence)} {one_thread_first(evidence)}".rstrip()


def _next_step(evidence: Evidence) -> str:
    others = changes_beside(evidence)
    skip = "'replfix resolve --strategy skip'"
    if not others:
        return f"Skip the transaction ({skip}): then the servers have the same rows."
    rows = counted(len(others), "other row")
    steps, why_not = carried_out(evidence, others)
    if steps:
        return f"{skip} leaves those out, and makes the transaction's changes of {rows} under its GTID."
    if by_statements(evidence):
        return (
            f"The transaction has changes of {rows} too, and {why_not}: run those first ('replfix diagnose' prints the statements), "
            f"then leave the transaction out ({skip})."
        )
    return (
        f"The transaction has changes of {rows} too, and {why_not}: enter those here by hand with sql_log_bin=0 where they are "
        f"missing, then leave the transaction out ({skip})."
    )


def by_statements(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return them as statements where replfix cannot: a human runs them and leaves the transaction out."""
    others = changes_beside(evidence)
    # What is not logged does not reach further servers, and the source has the transaction.
    if not others or len(evidence.circle) > 1 or len(evidence.below) > 1 or carried_out(evidence, others)[0]:
        return ()
    steps, _ = steps_beside(evidence, others)
    if not steps or len(steps) > SHOWN_ROWS or any(evidence.tables[step.table].triggers for step in steps):
        return ()
    rows = (sql.WITHOUT_FOREIGN_KEYS, "BEGIN", *(step.sql for step in steps), "COMMIT")
    text = (
        f"The changes of {counted(len(others), 'row')} that are not out of date. Run them in one session on the replica, once; nothing "
        "of it is logged:"
    )
    then = f"Then leave the transaction out: 'replfix resolve --strategy skip'. {one_thread_first(evidence)}"
    return Remedy(text, by_hand(evidence, *rows, start=""), LeadsTo.NEXT_STEP), Remedy(then.rstrip())
