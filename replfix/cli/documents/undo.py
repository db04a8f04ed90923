"""``replfix.undo/1``."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document
from replfix.cli.documents.remedy import AdvicePart, advice_part
from replfix.cli.documents.resolution import StepPart, step_part
from replfix.core.strategies.undo_plan import in_order
from replfix.workflow.undo.undo_repair import UndoOutcome


class UndoDocument(Document):
    schema_name: Literal["replfix.undo/1"] = "replfix.undo/1"
    replica: str
    outcome: Literal["undone", "rehearsed", "needs_human", "refused", "failed", "nothing_to_do"]
    message: str
    hint: str
    dry_run: bool
    undoes: str  # the audit id of the repair's intent
    recorded_at: str  # that record: UTC, ISO 8601
    author: str  # of that record
    gtid: str | None  # of the transaction for which the repair was made, which stays as it is
    transaction: str
    digest: str
    steps: list[StepPart]  # in their order; of each server, all of them or none
    guards: list[str]
    risks: list[str]  # what cannot be given back among them
    on_source: Literal["not_written", "unknown", "written", "seen"] | None  # null: the repair has written nothing there
    in_the_way: list[str]  # why it was refused, a sentence for each row
    advice: list[AdvicePart]  # remedies, of one that was refused: what can be done with the rows
    audit_ids: list[str]


def undo_document(name: str, undoing: UndoOutcome) -> UndoDocument:
    """Return how an undo ended, or what a dry run found."""
    plan = undoing.plan
    return UndoDocument(
        replica=name,
        outcome=undoing.result.value,
        message=undoing.message,
        hint=undoing.hint,
        dry_run=undoing.dry_run,
        undoes=undoing.undoes.id,
        recorded_at=undoing.undoes.recorded_at,
        author=undoing.undoes.author,
        gtid=plan.transaction.gtid,
        transaction=str(plan.transaction),
        digest=plan.digest,
        steps=[step_part(step, where) for where, step in in_order(plan)],
        guards=[guard.in_words for guard in plan.guards],
        risks=list(plan.risks),
        on_source=undoing.on_source.value if undoing.on_source is not None else None,
        in_the_way=list(undoing.in_the_way),
        advice=[advice_part(remedy) for remedy in undoing.remedies],
        audit_ids=list(undoing.audit_ids),
    )
