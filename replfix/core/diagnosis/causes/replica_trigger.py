"""A trigger that only the replica has writes to the table: it fires for local writes and replicated statements."""

from __future__ import annotations

from replfix.core.conflicts.row_history import Logged, mentions
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.authors import authors
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.incident_context import Program
from replfix.core.incident.provenance import provenances
from replfix.core.schema.table import TableName
from replfix.core.words import shortened

CODE = "replica-trigger"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from a transaction that wrote the row and changed the trigger's table.

    A local one, or one that the source logged as a statement, which does not name the row's table. Row events fire no
    triggers.
    """
    local = [
        f"{a.transaction.id}, written on the replica, changed {trigger.on} and this row of {a.conflict.table}: the "
        f"{trigger} on {trigger.on}, which the source does not have, names {a.conflict.table.name}."
        for a in authors(evidence)
        for trigger in _only_here(evidence, a.conflict.table)
        if any(change.table == trigger.on for change in a.transaction.changes)
    ]
    replicated = [
        f"{statement.gtid}, of {statement.when}, left the row of {p.table.name} on the replica; the source logged it as a "
        f"statement on {trigger.on}. There the replica has the {trigger}, which the source does not have, and which names "
        f"{p.table.name.name}."
        for p in provenances(evidence)
        if p.last is not None and p.as_logged
        for trigger in _only_here(evidence, p.table.name)
        if (statement := _statement(evidence, p.last.by.gtid)) is not None
        and trigger.on is not None
        and mentions(statement.statement or "", trigger.on)
        and not mentions(statement.statement or "", p.table.name)
    ]
    if not local and not replicated:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "A trigger that only the replica has writes to the table.",
        shortened((*local, *replicated), "transaction"),
    )


def _statement(evidence: Evidence, gtid: str) -> Logged | None:
    found = evidence.around.source_log.of(gtid)
    return found if found is not None and found.statement else None


def _only_here(evidence: Evidence, table: TableName) -> list[Program]:
    theirs = {(p.schema, p.name) for p in evidence.around.source.programs.get(table, ()) if p.kind == "trigger"}
    ours = evidence.around.replica.programs.get(table, ())
    return [p for p in ours if p.kind == "trigger" and p.on != table and (p.schema, p.name) not in theirs]
