"""A backend in memory whose replicas, diagnoses and writes a test scripts; diagnoses come from the real core."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from replfix.core.advisor.recommend import conclude as conclude_advice
from replfix.core.advisor.survey import Report
from replfix.core.binlog.row_event import ChangeKind, PassedOver, RowChange
from replfix.core.conclude import conclude
from replfix.core.conflicts.ahead.forecast import Forecast
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.outcome import Outcome, Result, Round
from replfix.core.plan.plan import Plan, SourceWrite, to_document
from replfix.core.plan.recorded_plan import read_plan
from replfix.core.remedies.errant_options import ways_out
from replfix.core.remedies.errant_transactions import Errant, ErrantTransaction
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, ReplicaStatus
from replfix.core.replication.source_gap import SourceGap
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies.undo_plan import also_on_source, inverse
from replfix.core.trail.audit_record import START, AuditRecord, Head, RecordKind, canonical, chained
from replfix.core.words import Advance
from replfix.ports import Progress
from replfix.workflow.recover.recovery import Recovered
from replfix.workflow.undo.undo_repair import UndoOutcome, UndoResult
from tests.unit.advisor.making_topologies import circle, node
from tests.unit.fakes import Rows
from tests.unit.making import (
    GTID,
    ORDERS,
    REPLICA,
    SOURCE,
    channel,
    deleted,
    evidence,
    inserted,
    row_message,
    status,
    transaction,
)
from tests.unit.making_forecasts import forecast

NEXT_GTID = f"{SOURCE}:7"
STEPS = ("Rehearsing the plan", "Applying 1 step in one transaction", "START REPLICA", "Verifying 1 row")

# --- how a replica stands ---


def running(lag: int | None = 0, name: str = "") -> ChannelStatus:
    return channel(name=name, applier_running=True, lag_seconds=lag)


def failing(
    errno: int = 1062,
    name: str = "",
    gtid: str = GTID,
    words: str = "Duplicate entry '3' for key 'orders.PRIMARY'",
    table: str = "shop.orders",
) -> ChannelStatus:
    event = "Write_rows" if errno == 1062 else "Delete_rows"
    return channel(name=name, applier_errno=errno, applier_message=row_message(errno, event, table, words, gtid))


def stopped_by_hand(name: str = "") -> ChannelStatus:
    return channel(name=name, receiver=ReceiverState.STOPPED)


def stands(*channels: ChannelStatus, executed: str = f"{SOURCE}:1-5", **over: Any) -> ReplicaStatus:
    return status(*channels, executed=executed, **over)


HEALTHY = stands(running(), executed=f"{SOURCE}:1-6")
BROKEN = stands(failing())


# --- what is found about it ---


def diagnosis_of(
    changes: Sequence[RowChange] = (inserted(ORDERS, 3, "A-3", Decimal("9.50")),),
    held: Sequence[RowImage] = ((3, "R-1", Decimal("1.00")),),
    *,
    of: Table = ORDERS,
    errno: int = 1062,
    name: str = "",
    **over: Any,
) -> Diagnosis:
    """What is concluded when a replica that holds those rows is stopped by those changes."""
    if "local_writes" not in over:
        gtids = (f"{REPLICA}:{n}" for n in range(1, len(held) + 1))
        over["local_writes"] = [
            transaction([inserted(of, *row)], (of,), gtid) for gtid, row in zip(gtids, held, strict=True)
        ]
    found = evidence(changes, Rows.of(of).holding(of, *held), errno=errno, **over)
    on = replace(found.channel, name=name)
    return conclude(replace(found, channel=on, status=replace(found.status, channels=(on,))))


def plan_of(diagnosis: Diagnosis) -> Plan:
    plan = diagnosis.proposals[0].plan
    assert plan is not None
    return plan


def missing_row() -> Diagnosis:
    """A plan that displaces no row of the replica: it puts one back."""
    return diagnosis_of([deleted(ORDERS, 3, "A-3", Decimal("9.50"))], (), errno=1032)


def many(count: int) -> Diagnosis:
    """A transaction of ``count`` rows, every second one of them in conflict."""
    rows = [(n, f"A-{n}", Decimal(n)) for n in range(1, count + 1)]
    held = [(n, f"R-{n}", Decimal(n)) for n, *_ in rows if n % 2]
    return diagnosis_of([inserted(ORDERS, *row) for row in rows], held, local_writes=())


def strays_of(word: str) -> Errant:
    """Two errant transactions: a row of a table of that name, and a statement with the word in it."""
    name = TableName("shop", word[:8])
    one = transaction([RowChange(name, ChangeKind.UPDATE, (word, 1), (word, 2), 300)], (), f"{REPLICA}:2")
    one = replace(one, column_names={name: ("v", f"n{word[:8]}")})
    statement = PassedOver(f"{REPLICA}:1", word[:200], 4, one.committed_at, 2, 7, f"CREATE TABLE {word}", "a statement")
    gtids = GtidSet.parse(f"{REPLICA}:1-3")
    on = replace(running(), source_host=word[:60])
    return Errant(
        OnlyHere(gtids),
        (
            ErrantTransaction(f"{REPLICA}:2", "written on this replica itself", one, 1),
            ErrantTransaction(f"{REPLICA}:1", f"written by {word}", statement),
            ErrantTransaction(f"{REPLICA}:3", "written on this replica itself", None, 0, f"Not known: {word}"),
        ),
        ways_out(stands(on), on, gtids, GtidSet(), f"{on.source_host}:3306"),
        (f"A note: {word}",),
    )


# --- the trail ---


class Chain:
    """Records as the trail makes them; one second apart."""

    def __init__(self) -> None:
        self.records: list[AuditRecord] = []

    def add(
        self, kind: RecordKind, payload: Mapping[str, object], *, replica: str = "db2", incident: str = "feedbeef0001"
    ) -> AuditRecord:
        last = self.records[-1] if self.records else None
        record = chained(
            Head(last.seq, last.hash) if last else START,
            recorded_at=datetime(2026, 3, 1, 12, 0, tzinfo=UTC) + timedelta(seconds=len(self.records)),
            kind=kind,
            incident=incident,
            replica=replica,
            channel="",
            author="dba@desk",
            version="0",
            payload=canonical(payload),
        )
        self.records.append(record)
        return record

    def resolution(self, diagnosis: Diagnosis, replica: str = "db2") -> AuditRecord:
        """An intent, the settings around it, and its outcome; the intent."""
        plan = plan_of(diagnosis)
        causes = [
            {"code": c.code, "confidence": c.confidence.value, "evidence": list(c.evidence)} for c in diagnosis.causes
        ]
        settings: dict[str, object] = {"server_uuid": plan.server_uuid, "variables": {"super_read_only": "1"}}
        self.add(RecordKind.SETTINGS, settings, replica=replica)
        intent = self.add(
            RecordKind.INTENT,
            {"plan": to_document(plan), "digest": plan.digest, "causes": causes, "unknowns": list(diagnosis.unknowns)},
            replica=replica,
        )
        self.add(RecordKind.SETTINGS_RESTORED, settings, replica=replica)
        self.add(
            RecordKind.OUTCOME,
            {"digest": plan.digest, "gtid": plan.transaction.gtid, "result": "applied and verified", "detail": ""},
            replica=replica,
        )
        return intent


# --- the backend ---


def two_primaries() -> Report:
    """Both hand out the same numbers."""
    return conclude_advice(circle(node(1), node(2)))


Answer = ReplicaStatus | BaseException
Found = Diagnosis | BaseException | None
Written = Outcome | BaseException | None  # None: it succeeds


def succeeded(plan: Plan, *, dry_run: bool) -> Outcome:
    if dry_run:
        return Outcome(
            Result.REHEARSED,
            "Dry run: the replica rehearsed the plan.",
            "",
            (Round(plan, True, False, False),),
            (),
            True,
        )
    rounds = (Round(plan, True, True, True, "abcdef012345"),)
    return Outcome(
        Result.RESOLVED, "1 failing transaction repaired, applied and verified.", "", rounds, ("abcdef012345",)
    )


def not_verified(plan: Plan) -> Outcome:
    rounds = (Round(plan, True, True, False, "abcdef012345"),)
    return Outcome(
        Result.FAILED, "The repair was applied; then: row 3 differs.", "Look at the table.", rounds, ("abcdef012345",)
    )


@dataclass
class FakeBackend:
    """Every method does what the test has put into the fields of its name, and writes down that it was called.

    Inside ``with hold(method)`` calls of that method wait; ``release`` lets everything go.
    """

    names: tuple[str, ...] = ("db2",)
    poll_seconds: float = 0.15
    answers: dict[str, Answer] = field(default_factory=dict)  # what is not in it, is healthy
    diagnoses: dict[tuple[str, str | None], Found] = field(default_factory=dict)
    gaps: dict[str, Mapping[str, SourceGap] | BaseException] = field(default_factory=dict)
    strays: Errant | BaseException | None = None
    ahead: Forecast | BaseException = field(default_factory=forecast)
    rehearsal: Written = None
    application: Written = None
    steps: tuple[str, ...] = STEPS
    chain: Chain = field(default_factory=Chain)
    trail_error: BaseException | None = None
    in_the_way: tuple[str, ...] = ()  # of an undo
    on_source: SourceWrite | None = None  # its part there
    read_only: str = ""
    left: tuple[AuditRecord, ...] = ()  # by interrupted runs
    advice: Report | BaseException = field(default_factory=two_primaries)
    calls: list[str] = field(default_factory=list)
    carried_out: list[Plan] = field(default_factory=list)
    forecasts: list[str] = field(
        default_factory=list
    )  # beside ``calls``: the one in the background comes when it comes
    polls: dict[str, int] = field(default_factory=dict)
    _held: dict[str, threading.Event] = field(default_factory=dict)
    _events: list[threading.Event] = field(default_factory=list)

    @classmethod
    def broken(cls, diagnosis: Diagnosis | None = None, **more: Any) -> FakeBackend:
        """One replica, ``db2``, stopped by what ``diagnosis`` is about."""
        found = diagnosis or diagnosis_of()
        on = found.evidence.channel
        answers: dict[str, Answer] = {"db2": found.evidence.status}
        return cls(answers=answers, diagnoses={("db2", on.name): found}, **more)

    # --- for tests ---

    @contextmanager
    def hold(self, what: str) -> Iterator[None]:
        """``what``: a method's name, ``poll NAME`` or ``carry_out STEP``. Calls that come inside wait until its end."""
        event = self._held[what] = threading.Event()
        self._events.append(event)
        try:
            yield
        finally:
            self.free(what)
            event.set()

    def free(self, what: str) -> None:
        """Calls that come from now on do not wait; those that do already, go on waiting."""
        self._held.pop(what, None)

    def release(self) -> None:
        self._held.clear()
        for event in self._events:
            event.set()

    def _wait(self, what: str) -> None:
        event = self._held.get(what)
        assert event is None or event.wait(60), f"{what} was held and never released"

    # --- Backend ---

    @property
    def replicas(self) -> tuple[str, ...]:
        return self.names

    def address(self, name: str) -> str:
        return f"{name}:3306"

    def poll(self, name: str) -> ReplicaStatus:
        self._wait(f"poll {name}")
        answer = self.answers.get(name, HEALTHY)
        self.polls[name] = self.polls.get(name, 0) + 1
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def source_gaps(self, name: str) -> Mapping[str, SourceGap]:
        self._wait("source_gaps")
        found = self.gaps.get(name, {})
        if isinstance(found, BaseException):
            raise found
        return found

    def investigate(self, name: str, channel: str | None, progress: Progress) -> Diagnosis | None:
        self.calls.append(f"investigate {name} {channel!r}")
        progress("Reading transaction 6 from source:3306")
        self._wait("investigate")
        found = self.diagnoses.get((name, channel))
        if isinstance(found, BaseException):
            raise found
        return found

    def errant(self, name: str, channel: str) -> Errant | None:
        self.calls.append(f"errant {name} {channel!r}")
        self._wait("errant")
        if isinstance(self.strays, BaseException):
            raise self.strays
        return self.strays

    def forecast(
        self, name: str, channel: str, progress: Progress, *, brief: bool = False, values: bool = False
    ) -> Forecast:
        which = " ".join(word for word, wanted in (("brief", brief), ("values", values)) if wanted) or "all"
        self.forecasts.append(f"{name} {channel!r} {which}")
        progress(Advance("Comparing the backlog", 0, 10, "transactions"))
        self._wait(f"forecast {which}")
        progress(Advance("Comparing the backlog", 10, 10, "transactions"))  # where it was stopped, it ends here
        self.forecasts[-1] += ", read"
        if isinstance(self.ahead, BaseException):
            raise self.ahead
        return self.ahead

    def rehearse(self, name: str, plan: Plan, progress: Progress) -> Outcome:
        self.calls.append(f"rehearse {name}")
        progress(self.steps[0])
        self._wait("rehearse")
        return self._end(self.rehearsal, succeeded(plan, dry_run=True))

    def carry_out(self, name: str, plan: Plan, progress: Progress) -> Outcome:
        self.calls.append(f"carry_out {name}")
        self.carried_out.append(plan)
        for step in self.steps:
            progress(step)
            self._wait(f"carry_out {step}")
        self._wait("carry_out")
        outcome = self._end(self.application, succeeded(plan, dry_run=False))
        if outcome.result is Result.RESOLVED:
            self.answers[name] = HEALTHY
            self.diagnoses[(name, plan.channel)] = None
        return outcome

    @staticmethod
    def _end(scripted: Written, otherwise: Outcome) -> Outcome:
        if isinstance(scripted, BaseException):
            raise scripted
        return scripted or otherwise

    def undo(self, record: AuditRecord, approved: str | None, progress: Progress) -> UndoOutcome:
        self.calls.append(f"undo {record.id} {approved}")
        progress("Rehearsing the undo")
        self._wait("undo")
        plan = record.content["plan"]
        assert isinstance(plan, dict)
        undo = inverse(read_plan(plan, {ORDERS.name: ORDERS}), {ORDERS.name: ORDERS}, row_events=True)
        if self.on_source is not None:
            undo = also_on_source(
                undo, self.on_source, {ORDERS.name: ORDERS}, lost=("Its key is taken.",), fired=(), kept_in=record.id
            )
        looked = UndoOutcome(UndoResult.REHEARSED, "Nothing is in the way.", "", record, undo, dry_run=True)
        if self.in_the_way:
            return replace(looked, result=UndoResult.REFUSED, message=self.in_the_way[0], in_the_way=self.in_the_way)
        if approved is None:
            return looked
        assert approved == undo.digest
        return replace(looked, result=UndoResult.UNDONE, message="1 row brought back.", dry_run=False)

    def left_behind(self, name: str) -> tuple[AuditRecord, ...]:
        return self.left

    def recover(self, name: str, progress: Progress) -> tuple[Recovered, ...]:
        self.calls.append(f"recover {name}")
        progress("Finding out what became of it")
        self._wait("recover")
        found, self.left = self.left, ()
        return tuple(Recovered(r, r.id, f"{r.kind} of {r.id}: put right.", "Go on.") for r in found)

    def advise(self, progress: Progress) -> Report:
        self.calls.append("advise")
        progress("Reading db2 …")
        self._wait("advise")
        if isinstance(self.advice, BaseException):
            raise self.advice
        return self.advice

    def record(self, record_id: str) -> AuditRecord:
        self.calls.append(f"record {record_id}")
        return next(r for r in self.chain.records if r.kind == RecordKind.INTENT)

    def records(self, limit: int) -> list[AuditRecord]:
        self.calls.append(f"records {limit}")
        self._wait("records")
        if self.trail_error is not None:
            raise self.trail_error
        return self.chain.records[::-1][:limit]

    def close(self) -> None:
        self.calls.append("close")


def fleet(count: int) -> tuple[str, ...]:
    return tuple(f"db{n:03}" for n in range(1, count + 1))
