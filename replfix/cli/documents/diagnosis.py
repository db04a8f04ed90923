"""``replfix.diagnosis/1``."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.cli.documents.conflict import ConflictPart, TransactionIdPart, conflict_fields, transaction_id_fields
from replfix.cli.documents.errant import ErrantPart, errant_part
from replfix.cli.documents.remedy import AdvicePart, advice_part
from replfix.cli.documents.resolution import UndoPart, undo_part
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.incident.evidence import Evidence
from replfix.core.remedies.errant_transactions import Errant


class ErrorPart(Part):
    errno: int
    event: str | None
    schema_: str | None
    table: str | None
    key: str | None
    message: str
    thread: Literal["applier", "receiver"]
    name: str | None  # the symbol, as ER_DUP_ENTRY; null for an error that replfix knows nothing of
    class_: str | None  # row-conflict, transient, schema-drift, data-refused, receiver, relay-log, host, follow-up
    means: str | None
    page: str | None  # in docs/errors/


class StatementPart(Part):
    schema_: str | None  # the default schema in which it ran
    text: str


class TransactionPart(TransactionIdPart):
    committed_at: str  # UTC, ISO 8601
    rows: int


class CausePart(Part):
    code: str
    confidence: Literal["high", "medium", "low"]
    summary: str
    evidence: list[str]


class StrategyPart(Part):
    name: str
    allowed: bool
    reason: str
    risks: list[str]
    undo: UndoPart | None  # null where it is not possible


class DiagnosisDocument(Document):
    schema_name: Literal["replfix.diagnosis/1"] = "replfix.diagnosis/1"
    replica: str
    channel: str | None
    healthy: bool  # true: nothing stopped, and everything below is empty
    error: ErrorPart | None
    transaction: TransactionPart | None
    conflicts: list[ConflictPart]
    causes: list[CausePart]
    strategies: list[StrategyPart]
    unknowns: list[str]
    statement: StatementPart | None  # the failing transaction, when it was logged as a statement
    advice: list[AdvicePart]  # remedies: what a human can do
    errant: ErrantPart | None = None  # also of a healthy channel; null where it is not known


def diagnosis_document(name: str, diagnosis: Diagnosis | None, errant: Errant | None = None) -> DiagnosisDocument:
    """Return the diagnosis; None: the channel is healthy. ``errant`` None: there are none, or it is unknown."""
    stray = None if errant is None else errant_part(errant)
    if diagnosis is None:
        return DiagnosisDocument(
            replica=name,
            channel=None,
            healthy=True,
            error=None,
            transaction=None,
            conflicts=[],
            causes=[],
            strategies=[],
            unknowns=[],
            statement=None,
            advice=[],
            errant=stray,
        )
    evidence = diagnosis.evidence
    return DiagnosisDocument(
        replica=name,
        channel=evidence.channel.name,
        healthy=False,
        error=_error(evidence),
        transaction=_transaction(evidence),
        conflicts=_conflicts(evidence),
        causes=[
            CausePart(code=c.code, confidence=c.confidence.value, summary=c.summary, evidence=list(c.evidence))
            for c in diagnosis.causes
        ],
        strategies=[
            StrategyPart(
                name=p.strategy,
                allowed=p.allowed,
                reason=p.reason,
                risks=list(p.risks),
                undo=undo_part(p.plan) if p.plan is not None else None,
            )
            for p in diagnosis.proposals
        ],
        unknowns=list(diagnosis.unknowns),
        statement=_statement(evidence),
        advice=[advice_part(remedy) for remedy in diagnosis.advice],
        errant=stray,
    )


def _error(evidence: Evidence) -> ErrorPart:
    error, family = evidence.error, evidence.family
    schema, table = evidence.stopped_on or (None, None)
    return ErrorPart(
        errno=error.errno,
        event=error.event,
        schema_=schema,
        table=table,
        key=error.key,
        message=error.message,
        thread=evidence.thread.value,
        name=family.names[error.errno] if family else None,
        class_=family.kind.value if family else None,
        means=family.means if family else None,
        page=f"docs/errors/{family.page}.md" if family else None,
    )


def _statement(evidence: Evidence) -> StatementPart | None:
    statement = evidence.statement
    return StatementPart(schema_=statement.schema or None, text=statement.text) if statement else None


def _transaction(evidence: Evidence) -> TransactionPart | None:
    transaction = evidence.transaction
    if transaction is None:
        return None
    return TransactionPart(
        **transaction_id_fields(transaction.id),
        committed_at=transaction.committed_at.isoformat(),
        rows=len(transaction.changes),
    )


def _conflicts(evidence: Evidence) -> list[ConflictPart]:
    if evidence.reconciliation is None:
        return []
    return [
        ConflictPart(**conflict_fields(evidence.tables[conflict.table], conflict, source_row))
        for conflict, source_row in zip(evidence.reconciliation.conflicts, evidence.source_rows, strict=True)
    ]
