"""What the screens work with: the workflow, by the names of the configured replicas. Every method may block.

Screens call it from thread workers only. Errors are ``ReplfixError``; anything else is a bug and is shown as one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from replfix.config import Config, Target
from replfix.core.advisor.survey import Report
from replfix.core.conflicts.ahead.forecast import Forecast
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.outcome import Outcome
from replfix.core.plan.plan import Plan
from replfix.core.remedies.errant_transactions import Errant
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.core.replication.source_gap import SourceGap
from replfix.core.trail.audit_record import AuditRecord
from replfix.errors import UsageError
from replfix.mysql.server import MysqlServer
from replfix.ports import Progress
from replfix.wiring import servers, trails
from replfix.workflow import resolution
from replfix.workflow.advise.read_topology import advise
from replfix.workflow.forecast.find_authors import SECONDS, with_authors
from replfix.workflow.forecast.forecast_backlog import Bounds, forecast
from replfix.workflow.investigate.errant.find_errant import find_errant
from replfix.workflow.investigate.investigation import investigate
from replfix.workflow.operation import Operation
from replfix.workflow.recover.recovery import Recovered, leftovers, recover, unended
from replfix.workflow.undo.undo_repair import UndoOutcome, undo
from replfix.workflow.watch.read_source_gap import read_source_gaps

T = TypeVar("T")

MEMORY = 300 * 1024 * 1024
WHOLE = Bounds(max_rows=None, max_seconds=None, max_memory=MEMORY)
BRIEF_SECONDS = 10.0
BRIEF = Bounds(max_rows=200_000, max_seconds=BRIEF_SECONDS, max_memory=MEMORY // 3)
"""Of a forecast that nobody asked for: it is shown once it is ready."""


class Backend(Protocol):
    """Everything that is not drawing; in tests a fake one takes its place."""

    @property
    def replicas(self) -> tuple[str, ...]:
        """The names of all replicas, in the order of the configuration."""
        ...

    @property
    def poll_seconds(self) -> float:
        """Seconds from one poll of a replica to the next."""
        ...

    @property
    def read_only(self) -> str:
        """Where it was asked for that nothing is written, in words; empty where it was not."""
        ...

    def address(self, name: str) -> str:
        """Return ``host:port`` of that replica."""
        ...

    def poll(self, name: str) -> ReplicaStatus:
        """Return that replica's status now. One caller at a time for each name."""
        ...

    def source_gaps(self, name: str) -> Mapping[str, SourceGap]:
        """Return by channel what that replica and its sources do not have in common. One caller at a time for each name."""
        ...

    def investigate(self, name: str, channel: str | None, progress: Progress) -> Diagnosis | None:
        """Return the whole diagnosis; None when the channel is running."""
        ...

    def errant(self, name: str, channel: str) -> Errant | None:
        """Return the transactions that only that replica has; None where nobody can know."""
        ...

    def forecast(
        self, name: str, channel: str, progress: Progress, *, brief: bool = False, values: bool = False
    ) -> Forecast:
        """Return the conflicts in the backlog of that channel; ``brief``: of as much of it as takes a few seconds.

        ``values``: also what would be overwritten or deleted without an error. What ``progress`` raises, ends it.
        """
        ...

    def rehearse(self, name: str, plan: Plan, progress: Progress) -> Outcome:
        """Let the replica rehearse that very plan; everything is rolled back."""
        ...

    def carry_out(self, name: str, plan: Plan, progress: Progress) -> Outcome:
        """Carry out that very plan and start the channel; Stale when it does not fit any more."""
        ...

    def undo(self, record: AuditRecord, approved: str | None, progress: Progress) -> UndoOutcome:
        """Take back the repair that the record belongs to.

        Without ``approved``, the digest of the plan that was shown, only look whether that is possible.
        """
        ...

    def left_behind(self, name: str) -> tuple[AuditRecord, ...]:
        """Return settings and intents of that replica that a run recorded and did not end: it was interrupted, or is at work."""
        ...

    def recover(self, name: str, progress: Progress) -> tuple[Recovered, ...]:
        """Put right what interrupted runs left unfinished. Busy when one of them is still at work."""
        ...

    def advise(self, progress: Progress) -> Report:
        """Return how all of these servers, and those that they read from, keep their keys apart."""
        ...

    def record(self, record_id: str) -> AuditRecord:
        """Return the record of that id. UsageError when there is none."""
        ...

    def records(self, limit: int) -> list[AuditRecord]:
        """Return the newest records of the audit trail, newest first."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...


class WiredBackend:
    """The ``Backend`` on real servers.

    Polling has a connection of its own for each replica, kept open, and asking the sources has others; each operation opens
    its own and closes them.
    """

    def __init__(self, config: Config, targets: list[Target], ask_password: servers.AskPassword) -> None:
        # Passwords are asked for before the screen is taken over.
        self._targets = {t.name: servers.with_account(t, ask_password) for t in targets}
        self._config = config
        self._pollers = {name: MysqlServer(t.replica) for name, t in self._targets.items()}
        self._surveyors: dict[str, servers.TargetConnections] = {}
        self._writing = threading.Lock()

    @property
    def replicas(self) -> tuple[str, ...]:
        return tuple(self._targets)

    @property
    def poll_seconds(self) -> float:
        return self._config.poll_seconds

    @property
    def read_only(self) -> str:
        return self._config.read_only

    def address(self, name: str) -> str:
        return str(self._targets[name].replica)

    def poll(self, name: str) -> ReplicaStatus:
        server = self._pollers[name]
        try:
            return server.status()
        except BaseException:
            server.close()  # the next poll connects anew
            raise

    def source_gaps(self, name: str) -> Mapping[str, SourceGap]:
        # Taken out meanwhile: what failed is not there any more, and the next call connects anew.
        wired = self._surveyors.pop(name, None) or servers.TargetConnections(self._targets[name])
        try:
            gaps = read_source_gaps(wired.replica, wired.source_of)
        except BaseException:
            wired.close()
            raise
        if any(gap.backlog is None for gap in gaps.values()):
            wired.close()
        else:
            self._surveyors[name] = wired
        return gaps

    def investigate(self, name: str, channel: str | None, progress: Progress) -> Diagnosis | None:
        with servers.TargetConnections(self._targets[name]) as wired:
            return investigate(
                wired.replica, wired.source_of, channel, progress, lambda: trails.trail_to_read(self._config)
            )

    def errant(self, name: str, channel: str) -> Errant | None:
        with servers.TargetConnections(self._targets[name]) as wired:
            return find_errant(wired.replica, wired.source_of, channel)

    def forecast(
        self, name: str, channel: str, progress: Progress, *, brief: bool = False, values: bool = False
    ) -> Forecast:
        clock = servers.SystemClock()
        with servers.TargetConnections(self._targets[name]) as wired:
            found = forecast(
                wired.replica, wired.source_of, channel, clock, BRIEF if brief else WHOLE, progress, values=values
            )
            return with_authors(found, wired.replica, clock, progress, BRIEF_SECONDS if brief else SECONDS)

    def rehearse(self, name: str, plan: Plan, progress: Progress) -> Outcome:
        return self._work(name, progress, lambda operation: resolution.rehearse(operation, plan))

    def carry_out(self, name: str, plan: Plan, progress: Progress) -> Outcome:
        return self._work(name, progress, lambda operation: resolution.carry_out(operation, plan))

    def undo(self, record: AuditRecord, approved: str | None, progress: Progress) -> UndoOutcome:
        if record.replica not in self._targets:
            raise UsageError(
                f"No replica is shown here under the name that the record has: {record.replica}.",
                f"replfix undo {record.id} --replica URL",
            )
        return self._work(
            record.replica,
            progress,
            lambda operation: undo(
                operation, record.id, dry_run=approved is None, confirm=lambda plan: plan.digest == approved
            ),
        )

    def left_behind(self, name: str) -> tuple[AuditRecord, ...]:
        trail = trails.open_trail(self._config)
        try:
            with servers.TargetConnections(self._targets[name]) as wired:
                server_uuid = wired.replica.uuid()
            return (*leftovers(trail, server_uuid), *unended(trail, server_uuid))
        finally:
            trail.close()

    def recover(self, name: str, progress: Progress) -> tuple[Recovered, ...]:
        return self._work(name, progress, lambda operation: tuple(recover(operation)))

    def advise(self, progress: Progress) -> Report:
        with servers.TopologyConnections(self._config) as topology:
            given = [topology.open(target) for target in self._targets.values()]
            return advise(given, topology.source_of, datetime.now(UTC), progress, all_of_them=False)

    def _work(self, name: str, progress: Progress, what: Callable[[Operation], T]) -> T:
        opened = trails.trail_to_write(self._config, progress)
        with self._writing, servers.TargetConnections(self._targets[name]) as wired, opened as trail:
            return what(trails.operation(wired, trail, progress))

    def record(self, record_id: str) -> AuditRecord:
        trail = trails.open_trail(self._config)
        try:
            return trail.get(record_id)
        finally:
            trail.close()

    def records(self, limit: int) -> list[AuditRecord]:
        trail = trails.open_trail(self._config)
        try:
            return list(trail.records(limit=limit, newest_first=True))
        finally:
            trail.close()

    def close(self) -> None:
        for server in self._pollers.values():
            server.close()
        for wired in tuple(self._surveyors.values()):
            wired.close()
