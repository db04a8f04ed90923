"""What one resolution works with, what it tells the trail, and how far it came."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from replfix.core.plan.outcome import Round, SourceWriteResult
from replfix.core.plan.plan import Plan, Step
from replfix.core.trail.audit_record import RecordKind
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
        return nullcontext(self.trail)


class IncidentLog:
    """What the trail is told about one resolution, and the ids of those records. An undo goes on with the story of the
    ``incident`` that it takes back."""

    def __init__(self, operation: Operation, incident: str | None = None) -> None:
        self._trail = operation.trail
        self._name = operation.name
        self._incident = incident or uuid.uuid4().hex[:12]
        self.ids: list[str] = []

    def tell(self, kind: RecordKind, channel: str, payload: dict[str, object]) -> str:
        record = self._trail.append(kind, incident=self._incident, replica=self._name, channel=channel, payload=payload)
        self.ids.append(record.id)
        return record.id

    def end(
        self,
        plan: Plan,
        result: str,
        detail: str,
        on_source: SourceWriteResult | None = None,
        undoes: str | None = None,
    ) -> None:
        """What became of an intent. NotVerified when the trail does not take that: it may be done by then."""
        payload: dict[str, object] = {
            "digest": plan.digest,
            "gtid": plan.transaction.gtid,
            "result": result,
            "detail": detail,
            **({"on_source": on_source.value} if on_source is not None else {}),
            **({"undoes": undoes} if undoes is not None else {}),
        }
        try:
            self.tell(RecordKind.OUTCOME, plan.channel, payload)
        except AuditError as error:
            raise NotVerified(
                f"The outcome ({result}) could not be recorded: {error.message}",
                f"{error.hint} The intent is on record: 'replfix recover' finds out what became of it.",
            ) from None


@dataclass(slots=True)
class RoundProgress:
    """How far a round came."""

    rehearsed: bool = False
    applied: bool = False  # or may be: shown as done until somebody has looked
    unknown: bool = False  # whether it is
    verified: bool = False
    audit_id: str | None = None
    verb: str = "applied"  # what is done, as the trail says it
    causes: tuple[str, ...] = ()  # codes
    on_source: SourceWriteResult | None = None
    written: tuple[Step, ...] = ()
    left_stopped: str = ""  # why the channel was not started again behind a transaction that is verified

    @property
    def in_words(self) -> str:
        if self.verified:
            return f"{self.verb} and verified"
        return "unknown" if self.unknown else f"{self.verb}, not verified" if self.applied else f"not {self.verb}"

    def as_round(self, plan: Plan) -> Round:
        return Round(
            plan, self.rehearsed, self.applied, self.verified, self.audit_id, self.causes, self.on_source, self.written
        )
