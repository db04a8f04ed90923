"""What one resolution works with, its records, and how far it came."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from replfix.core.plan.outcome import Round, SourceWriteResult
from replfix.core.plan.plan import Plan, Step
from replfix.core.trail.audit_record import RecordKind
from replfix.core.trail.intent_result import IntentResult
from replfix.errors import AuditError, NotVerified
from replfix.ports import Clock, Progress, Replica, SourceOf, Trail


@dataclass(frozen=True, slots=True)
class Operation:
    """Everything that one resolution works with. ``name`` is what people call the replica."""

    name: str
    replica: Replica
    source_of: SourceOf
    trail: Trail
    clock: Clock
    progress: Progress
    shield: Callable[[], AbstractContextManager[None]] = nullcontext  # what is inside is not to be interrupted

    def trail_to_read(self) -> AbstractContextManager[Trail]:
        """Return the trail for a ``with`` block, which leaves it open."""
        return nullcontext(self.trail)


class IncidentLog:
    """The records of one resolution. An undo adds to those of the ``incident`` that it takes back."""

    def __init__(self, operation: Operation, incident: str | None = None) -> None:
        self._trail = operation.trail
        self._name = operation.name
        self._incident = incident or uuid.uuid4().hex[:12]
        self.ids: list[str] = []
        self.switched: list[str] = []  # settings of the server that were changed for a write, and put back

    def append(self, kind: RecordKind, channel: str, payload: dict[str, object]) -> str:
        """Append a record to the trail, and return its id."""
        record = self._trail.append(kind, incident=self._incident, replica=self._name, channel=channel, payload=payload)
        self.ids.append(record.id)
        return record.id

    def end(
        self,
        plan: Plan,
        result: IntentResult,
        detail: str,
        on_source: SourceWriteResult | None = None,
        undoes: str | None = None,
    ) -> None:
        """Record what became of an intent. NotVerified when the trail does not take that: it may be done by then."""
        payload: dict[str, object] = {
            "digest": plan.digest,
            "gtid": plan.transaction.gtid,
            "result": result.value,
            "detail": detail,
            **({"on_source": on_source.value} if on_source is not None else {}),
            **({"undoes": undoes} if undoes is not None else {}),
        }
        try:
            self.append(RecordKind.OUTCOME, plan.channel, payload)
        except AuditError as error:
            raise NotVerified(
                f"The outcome ({result}) could not be recorded: {error.message}",
                f"{error.hint} The intent is on record: 'replfix recover' finds out what became of it.",
            ) from None


@dataclass(slots=True)
class RoundProgress:
    """How far a round got."""

    rehearsed: bool = False
    applied: bool = False  # or may be: shown as done until somebody has looked
    unknown: bool = False  # whether it is
    verified: bool = False
    audit_id: str | None = None
    leaves_out: bool = False
    causes: tuple[str, ...] = ()  # codes
    on_source: SourceWriteResult | None = None
    written: tuple[Step, ...] = ()
    left_stopped: str = ""  # why the channel was not started again after a transaction that is verified

    @property
    def result(self) -> IntentResult:
        """The result of a repair that got so far."""
        if self.verified:
            return IntentResult.LEFT_OUT_VERIFIED if self.leaves_out else IntentResult.VERIFIED
        if self.unknown:
            return IntentResult.UNKNOWN
        if self.applied:
            return IntentResult.LEFT_OUT if self.leaves_out else IntentResult.APPLIED
        return IntentResult.NOT_LEFT_OUT if self.leaves_out else IntentResult.NOT_APPLIED

    def as_round(self, plan: Plan) -> Round:
        """Return the round as an outcome has it."""
        return Round(
            plan, self.rehearsed, self.applied, self.verified, self.audit_id, self.causes, self.on_source, self.written
        )
