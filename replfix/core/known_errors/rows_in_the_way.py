"""What a human can do about rows that block a transaction with statements: replfix cannot rehearse it."""

from __future__ import annotations

from dataclasses import replace

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan_steps import alone
from replfix.core.remedies.by_hand import rows_by_hand
from replfix.core.remedies.remedy import LeadsTo, Loss, Remedy
from replfix.core.strategies import source_wins

_AGAIN = "'replfix diagnose' shows the next row, if there is one."


def blocking_row(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the replica's row that a statement collides with, and how it is saved and deleted."""
    if evidence.blocking is None:
        return ()
    table, row = evidence.blocking
    saved = sql.insert_row(table, row)
    found = f"The key in the server's message names this row of {table.name} on the replica: {saved};"
    if not alone(table, "DELETE"):
        return (
            Remedy(
                f"{found} Other tables reference {table.name}, or a trigger fires when a row of it is deleted: replfix does not "
                "print a DELETE for it."
            ),
        )
    return (
        Remedy(
            f"{found} Keep that text: it writes the row again. Without the row the replica can apply the transaction. {_AGAIN}",
            rows_by_hand(evidence, sql.delete_row(table, row)),
            LeadsTo.NEXT_ROW,
            loses=(Loss(1, "row", str(table.name)),),
        ),
    )


def beside_statements(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the steps that source-wins would take, if the transaction had no statements beside its rows."""
    transaction = evidence.transaction
    if transaction is None or not transaction.statements:
        return ()
    plan = source_wins.propose(replace(evidence, transaction=replace(transaction, statements=()))).plan
    if plan is None or not plan.steps or plan.kept or plan.orphans:
        return ()
    tables = [(step, evidence.tables[step.table]) for step in plan.steps]
    if not all(alone(table, step.kind.value.upper()) for step, table in tables):
        return ()
    lost = [step for step in plan.steps if step.current is not None]
    saved = " ".join(
        f"{sql.insert_row(evidence.tables[step.table], step.current)};" for step in lost if step.current is not None
    )
    keep = f" Keep this first, which has the replica's rows as they are: {saved}" if saved else ""
    return (
        Remedy(
            f"The rows that conflict with the transaction's row events are known; its statements can conflict with others.{keep} {_AGAIN}",
            rows_by_hand(evidence, *(step.sql for step in plan.steps)),
            LeadsTo.NEXT_ROW,
            loses=tuple(
                Loss(sum(step.table == name for step in lost), "row", str(name))
                for name in dict.fromkeys(step.table for step in lost)
            ),
        ),
    )
