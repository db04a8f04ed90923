"""What will be done, as one object: shown, rehearsed, carried out and recorded. Its digest names it."""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass

from replfix.core.json_values import JsonValue, to_json
from replfix.core.table import TableName
from replfix.core.transaction_id import TransactionId
from replfix.core.values import RowImage


class StepKind(enum.StrEnum):
    DELETE = "delete"
    UPDATE = "update"
    INSERT = "insert"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the replica brought from ``current`` to ``target`` (None: no such row).

    The images say what happens; ``sql`` says it as a statement, and ``undo_sql`` how it is taken back. Which of the two is
    carried out is the plan's ``row_events``.
    """

    kind: StepKind
    table: TableName
    columns: tuple[str, ...]
    current: RowImage | None
    target: RowImage | None
    sql: str
    undo_sql: str
    alike: int = 0  # of an inserted row that no key names: how many that are the same the replica holds before


@dataclass(frozen=True, slots=True)
class Plan:
    """From diagnosis to a running channel. ``guards`` and ``risks`` are sentences for people; the executor checks
    every guard itself."""

    strategy: str
    server_uuid: str
    channel: str
    transaction: TransactionId
    errno: int
    steps: tuple[Step, ...]
    guards: tuple[str, ...]
    risks: tuple[str, ...]
    row_events: bool = False  # the steps are carried out as row events, which fire no trigger; else as their SQL

    @property
    def displaced(self) -> tuple[Step, ...]:
        """The steps that take out or change a row which the replica holds: those rows are kept in the trail."""
        return tuple(step for step in self.steps if step.current is not None)

    @property
    def digest(self) -> str:
        """SHA-256 over everything in the plan: two plans with one digest do the same."""
        text = json.dumps(to_document(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def _row(step: Step, image: RowImage | None) -> JsonValue:
    if image is None:
        return None
    return {name: to_json(value) for name, value in zip(step.columns, image, strict=True)}


def step_to_document(step: Step) -> dict[str, JsonValue]:
    return {
        "kind": step.kind.value,
        "schema": step.table.schema,
        "table": step.table.name,
        "sql": step.sql,
        "undo_sql": step.undo_sql,
        "alike": step.alike,
        "columns": list(step.columns),  # their order: an object's keys have none
        "current": _row(step, step.current),
        "target": _row(step, step.target),
    }


def _named(of: TransactionId) -> dict[str, JsonValue]:
    # Of a transaction with a GTID the positions are no part of the plan: they are others after a failover.
    named: dict[str, JsonValue] = {"gtid": of.gtid}
    if of.gtid is None:
        named["position"] = {"log_file": of.log_file, "start_pos": of.start_pos, "end_pos": of.end_pos}
    return named


def to_document(plan: Plan) -> dict[str, JsonValue]:
    """The plan as JSON values, with full row images: what the trail keeps and the digest is taken over."""
    return {
        "strategy": plan.strategy,
        "server_uuid": plan.server_uuid,
        "channel": plan.channel,
        **_named(plan.transaction),
        "errno": plan.errno,
        "steps": [step_to_document(step) for step in plan.steps],
        "guards": list(plan.guards),
        "risks": list(plan.risks),
        "row_events": plan.row_events,
    }
