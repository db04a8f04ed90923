"""What the audit trail has of the rows in question: nothing else shows what replfix did to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from replfix.core.conflicts.reconcile import Identity, identity_values
from replfix.core.incident.evidence import EarlierStep, Evidence
from replfix.core.incident.provenance import rows_in_question
from replfix.core.plan.recorded_plan import steps_on
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.trail.audit_record import AuditRecord, RecordKind
from replfix.errors import AuditError, ConfigError, Refused
from replfix.ports import Trail, TrailToRead
from replfix.workflow.investigate.recorded_repair import changed_rows

RECORDS = 1000
"""The newest ones that are looked at: some 250 repairs."""


def earlier_steps(trail: TrailToRead | None, evidence: Evidence) -> tuple[EarlierStep, ...]:
    """Newest first. Nothing where there is no trail, or none that can be read."""
    asked = [(table, row) for _, table, row, _ in rows_in_question(evidence)]
    if trail is None or not asked:
        return ()
    tables, rows = {table.name: table for table, _ in asked}, frozenset(row for _, row in asked)
    servers = {evidence.status.server_uuid: False}
    if evidence.source_uuid:
        servers.setdefault(evidence.source_uuid, True)
    executed, failing = evidence.status.executed, evidence.transaction

    def applied(gtid: str) -> bool:
        return (
            executed.leaves_open(gtid) or gtid in executed or (failing is not None and failing.gtid == gtid)
        )  # the last: rows were repaired, and then it was not applied

    try:
        with trail() as opened:
            return tuple(_steps(opened, servers, tables, rows, applied))
    except (AuditError, ConfigError):
        return ()


def _steps(
    trail: Trail,
    servers: Mapping[str, bool],
    tables: Mapping[TableName, Table],
    rows: frozenset[Identity],
    applied: Callable[[str], bool],
) -> Iterator[EarlierStep]:
    for record in trail.records(limit=RECORDS, newest_first=True):
        if record.kind != RecordKind.INTENT or not any(f'"{name.name}"' in record.payload for name in tables):
            continue
        plan = _plan(record)
        server = plan.get("server_uuid")
        if not isinstance(server, str) or server not in servers:
            continue
        gtid = plan.get("gtid")
        if isinstance(gtid, str) and not servers[server] and not applied(gtid):
            continue  # the replica was set up anew since
        try:
            found = [
                EarlierStep(record, str(plan.get("strategy", "")), servers[server], step, touched)
                for step in steps_on(plan, tables)
                if (touched := rows & _rows(tables[step.table], (step.current, step.target)))
            ]
            if found and changed_rows(trail, record):
                yield from reversed(found)
        except Refused:  # it was altered, or another version wrote it otherwise
            continue


def _rows(table: Table, images: tuple[RowImage | None, ...]) -> set[Identity]:
    named = (identity_values(table, image) for image in images if image is not None)
    return {(table.name, values) for values in named if values is not None}


def _plan(record: AuditRecord) -> Mapping[str, object]:
    """Return the record's plan; none of a record that was altered."""
    try:
        plan = record.content.get("plan") if record.sound else None
    except ValueError:
        return {}
    return plan if isinstance(plan, Mapping) else {}
