"""``replfix.resolution/1``."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.cli.documents.values import RowDocument
from replfix.core.plan.outcome import Outcome, Round
from replfix.core.plan.plan import Kept, LeftOut, Plan, Step, Undoable, kept_to_document, step_to_document


class StepPart(Part):
    """A step as the audit trail has it (``step_to_document``), and where it is carried out."""

    server: Literal["replica", "source"]  # where it is carried out; those on the source come last, of an undo first
    kind: Literal["delete", "update", "insert"]
    schema_: str
    table: str
    sql: str
    undo_sql: str
    alike: int  # of an inserted row that no key names: how many that are the same the server has before
    columns: list[str]  # of the rows, in their order: an object's keys have none
    current: RowDocument | None  # that server's row before the step; null: there is none
    target: RowDocument | None  # after it
    new_key: (
        str | None
    )  # of a row written on the source: the column that gets its value there; null in target until it has it
    takes: dict[
        str, int
    ]  # columns that get the new key of another step on the source, and its number among those, from 1


class LeftOutPart(Part):
    kind: Literal["insert", "update", "delete"]
    schema_: str
    table: str
    before: RowDocument | None
    after: RowDocument | None


class KeptPart(Part):
    schema_: str
    table: str
    foreign_key: str  # by which it references a row that goes or gets another key
    columns: list[str]
    row: RowDocument


class UndoPart(Part):
    possible: Undoable  # nothing-to-undo; yes; in-part: on the source, not on the replica; no
    text: str  # why


class RoundPart(Part):
    gtid: str | None  # null on servers without GTIDs
    transaction: str  # its GTID, else the place in the source's binlog
    transactions: int = 1  # that the round is about: that one, and those after it which were planned with it
    last_gtid: str | None = None  # of the last of them; null on servers without GTIDs
    last_transaction: str = ""  # its GTID, else the place in the source's binlog
    strategy: str
    digest: str
    steps: list[StepPart]
    kept: list[KeptPart]  # rows that stay, although the row that they reference goes: one with its key comes
    net_rows: list[StepPart]  # what the transaction makes of each row, where that is carried out in the applier's place
    left_out: list[LeftOutPart]  # the rows that the replica never gets, of a plan that passes over the transaction
    left_out_statement: str | None  # or the statement, the first one of several
    left_out_statements: list[str]  # every one, each after what it needs beside its text
    guards: list[str]
    risks: list[str]
    undo: UndoPart  # whether it can be undone, as far as that was known before it was carried out
    rehearsed: bool
    applied: bool
    verified: bool
    on_source: Literal["not_written", "unknown", "written", "seen"] | None  # null: the plan writes nothing there
    audit_id: str | None  # of the intent: plan, displaced rows, undo


class ResolutionDocument(Document):
    schema_name: Literal["replfix.resolution/1"] = "replfix.resolution/1"
    replica: str
    outcome: Literal["resolved", "rehearsed", "needs_human", "failed", "nothing_to_do"]
    message: str
    hint: str
    dry_run: bool
    rounds: list[RoundPart]
    displaced_rows: int
    audit_ids: list[str]


def resolution_document(name: str, outcome: Outcome) -> ResolutionDocument:
    """Return the outcome with every round: its plan, and what was checked of it."""
    return ResolutionDocument(
        replica=name,
        outcome=outcome.result.value,
        message=outcome.message,
        hint=outcome.hint,
        dry_run=outcome.dry_run,
        rounds=[_round(r) for r in outcome.rounds],
        displaced_rows=outcome.displaced_rows,
        audit_ids=list(outcome.audit_ids),
    )


def _round(round_: Round) -> RoundPart:
    plan = round_.plan
    return RoundPart(
        gtid=plan.transaction.gtid,
        transaction=str(plan.transaction),
        transactions=plan.transactions,
        last_gtid=plan.last.gtid,
        last_transaction=str(plan.last),
        strategy=plan.strategy,
        digest=plan.digest,
        steps=[*(step_part(step) for step in plan.steps), *(step_part(step, "source") for step in _on_source(round_))],
        kept=[_kept(kept) for kept in plan.kept],
        net_rows=[step_part(step) for step in plan.net_rows],
        left_out=_left_out(plan.left_out),
        left_out_statement=plan.left_out.statement or None if plan.left_out else None,
        left_out_statements=["; ".join(s.script) for s in plan.left_out.statements] if plan.left_out else [],
        guards=[guard.in_words for guard in plan.guards],
        risks=list(plan.risks),
        undo=undo_part(plan),
        rehearsed=round_.rehearsed,
        applied=round_.applied,
        verified=round_.verified,
        on_source=round_.on_source.value if round_.on_source is not None else None,
        audit_id=round_.audit_id,
    )


def undo_part(plan: Plan) -> UndoPart:
    """Return whether the plan can be undone, and why."""
    return UndoPart(possible=plan.undoable, text=plan.undo_outlook)


def _kept(kept: Kept) -> KeptPart:
    return KeptPart.model_validate(kept_to_document(kept))


def _left_out(left_out: LeftOut | None) -> list[LeftOutPart]:
    return [] if left_out is None else [LeftOutPart.model_validate(row) for row in left_out.rows_to_document()]


def _on_source(round_: Round) -> tuple[Step, ...]:
    if round_.written or round_.plan.on_source is None:
        return round_.written
    return round_.plan.on_source.steps


def step_part(step: Step, server: Literal["replica", "source"] = "replica") -> StepPart:
    """Return one step with the row before and after it, on the ``server`` where it is carried out."""
    return StepPart.model_validate({"server": server, "new_key": None, "takes": {}, **step_to_document(step)})
