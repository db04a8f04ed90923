"""Transactions that no applier of the server can execute, whatever rows it finds, although their outcome is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from replfix.core import sql
from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.net_rows import net_rows
from replfix.core.conflicts.reconcile import Reconciliation
from replfix.core.incident.applied_together import changed_twice, stopped_by, taken_over
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import SHOWN_ROWS, Step
from replfix.core.plan.plan_steps import steps_of
from replfix.core.remedies.by_hand import rows_by_hand
from replfix.core.remedies.remedy import LeadsTo, Remedy
from replfix.core.rows.lookup import by_identity
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted, shortened
from replfix.errors import Refused

Tables = Mapping[TableName, Table]


def is_one(product: str, changes: tuple[RowChange, ...], tables: Tables, found: Reconciliation) -> bool:
    """Return whether it is, or may be, one: where an event changes a row twice the server's index decides."""
    return next(_reasons(product, changes, tables, found), None) is not None


def is_certain(evidence: Evidence) -> bool:
    """Return whether it certainly is one."""
    found = evidence.reconciliation
    return found is not None and bool(found.replaced or found.again or stopped_by(evidence) is not None)


def no_applier(evidence: Evidence) -> str:
    """Return the reason, as a sentence without its full stop."""
    what = "No applier can take" if is_certain(evidence) else "MySQL's applier may not be able to execute"
    return f"{what} the transaction: {'; '.join(shortened(tuple(_reasons_of(evidence)), 'reason'))}"


def _reasons_of(evidence: Evidence) -> Iterator[str]:
    transaction, found = evidence.transaction, evidence.reconciliation
    if transaction is not None and found is not None:
        yield from _reasons(evidence.status.product, transaction.changes, evidence.tables, found)


def _reasons(product: str, changes: tuple[RowChange, ...], tables: Tables, found: Reconciliation) -> Iterator[str]:
    for again in found.again:
        yield f"it deletes a row of {again.table} twice ({by_identity(tables[again.table], again.row)})"
    for replaced in found.replaced:
        key = replaced.foreign_key
        yield (
            f"it deletes a row of {key.parent} and writes it again, while {counted(replaced.children, 'row')} of {key.child} "
            f"({key.name}: {replaced.key}) {'reference' if replaced.children > 1 else 'references'} it, which stay"
        )
    if product != "MySQL":
        return
    for table in changed_twice(changes, tables):
        yield f"one event changes a row of {table.name} twice, and no key names its rows"
    for table, unique in taken_over(changes, tables):
        yield f"in one event rows of {table.name} take each other's values of {unique.name}, and no key names its rows"


def in_its_place(evidence: Evidence) -> tuple[tuple[Step, ...] | None, str]:
    """Return what such a transaction makes of its rows, to be done in the applier's place.

    None where an applier can execute it, or with the reason why that cannot be done.
    """
    transaction = evidence.transaction
    if transaction is None or not any(_reasons_of(evidence)) or (evidence.transient and not is_certain(evidence)):
        return None, ""
    if evidence.status.product != "MySQL" or transaction.gtid is None:
        return None, "replfix can execute it only on MySQL, where the transaction has a GTID"
    if transaction.prepared:
        return None, "it is an XA transaction, which replfix does not execute"
    if evidence.not_as_events:
        return None, f"its rows cannot be written as events: {evidence.not_as_events[0].rstrip('.')}"
    return _outcome(evidence)


def _outcome(evidence: Evidence) -> tuple[tuple[Step, ...] | None, str]:
    transaction, found = evidence.transaction, evidence.reconciliation
    assert transaction is not None
    assert found is not None
    try:
        steps = tuple(steps_of(net_rows(transaction.changes, evidence.tables, found.whole), evidence.tables))
    except Refused as error:
        return None, error.message.rstrip(".")
    if part := next((step for step in steps if not step.sql), None):
        return (
            None,
            f"its events do not have all columns of a row of {part.table} (binlog_row_image is not FULL on the source)",
        )
    return steps, ""


def by_hand(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return its outcome as statements, and the skip counter: without a GTID nobody can commit it in the applier's place."""
    transaction, found = evidence.transaction, evidence.reconciliation
    if transaction is None or found is None or transaction.gtid is not None or not is_certain(evidence):
        return ()
    if evidence.status.product != "MySQL" or transaction.prepared or len(evidence.status.channels) > 1:
        return ()
    steps, _ = _outcome(evidence)
    fires = any(evidence.tables[step.table].triggers for step in steps or ())
    if steps is None or found.repairs or evidence.below or fires or len(steps) > SHOWN_ROWS:
        return ()
    rows = (sql.WITHOUT_FOREIGN_KEYS, "BEGIN", *(step.sql for step in steps), "COMMIT", sql.SKIP_ONE)
    text = (
        f"{no_applier(evidence)}. By hand: its outcome as statements, then the skip counter skips exactly this transaction. "
        "Run them in one session on the replica, once:"
    )
    return (Remedy(text, rows_by_hand(evidence, *rows), LeadsTo.CARRIED_OUT),)
