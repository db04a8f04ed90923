"""A plan's part on the source: rehearsed before anything is changed, carried out once the replica is past the transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from replfix.core import sql
from replfix.core.conflicts.reconcile import Identity, identity_values
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.interrupted_repair import questions, source_found
from replfix.core.plan.outcome import SourceWriteResult
from replfix.core.plan.plan import Plan, SourceWrite, Step, on_source_document
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.trail.audit_record import RecordKind
from replfix.core.words import counted
from replfix.errors import NotDone, NotVerified, ReplfixError, Stale
from replfix.ports import Server
from replfix.workflow.investigate.foreign_keys.find_counterparts import ChangesSince
from replfix.workflow.operation import IncidentLog, Operation, RoundProgress

SEEN_SECONDS = 30.0
"""How long what was written on the source may take to reach the replica."""
POLL_SECONDS = 0.1


Check = Callable[[tuple[Step, ...]], None]
"""Raises NotDone when those steps, carried out on the source and not committed yet, are not to count."""


class SourceWriter:
    """The part on the source of one plan; nothing at all for a plan that has none. ``check`` is called last before COMMIT."""

    def __init__(
        self,
        operation: Operation,
        log: IncidentLog,
        plan: Plan,
        progress: RoundProgress,
        source_of: Callable[[], Server],
        tables: Mapping[TableName, Table],
        check: Check,
    ) -> None:
        self._operation = operation
        self._log = log
        self._plan = plan
        self._progress = progress
        self._source_of = source_of
        self._tables = dict(tables)
        self._check = check

    def _source(self, part: SourceWrite) -> Server:
        source = self._source_of()
        if (now := source.uuid()) != part.server_uuid:
            raise Stale(f"The source is {now} now, not {part.server_uuid}.", "Nothing was written on the source.")
        return source

    def rehearse(self) -> None:
        """Rehearse it. RehearsalFailed, Stale or PrivilegeError; nothing is changed on either server."""
        if (part := self._plan.on_source) is None:
            return
        self._progress.on_source = SourceWriteResult.NOT_WRITTEN
        source = self._source(part)
        self._operation.progress(
            f"Rehearsing what is written on the source {source.address} (everything is rolled back)"
        )
        with source.writing() as writing:
            writing.rehearse(part, self._tables)

    def write(self) -> ReplfixError | None:
        """Write it; return the reason why it is not known to be written, None when it is.

        What the replica has done by then stays done; the caller reports it.
        """
        if (part := self._plan.on_source) is None:
            return None
        try:
            source = self._source(part)
            self._operation.progress(f"Writing {counted(len(part.steps), 'row')} on the source {source.address}")
            with source.writing() as writing:
                writing.write(part, self._tables, lambda steps: self._record(part, steps))
            self._progress.on_source = SourceWriteResult.UNKNOWN
            self._look(source)
        except ReplfixError as error:
            if isinstance(error, NotVerified):
                self._progress.on_source = SourceWriteResult.UNKNOWN
            return error
        return None

    def _record(self, part: SourceWrite, steps: tuple[Step, ...]) -> None:
        """Record the steps before they count: with the keys that the source gave, their rows show what became of them."""
        self._check(steps)
        undo = [*sql.SOURCE_UNDO_SETTINGS, *(step.undo_sql for step in reversed(steps))]
        payload: dict[str, object] = {
            "digest": self._plan.digest,
            **on_source_document(replace(part, steps=steps)),
            "undo": undo,
        }
        self._log.append(RecordKind.ON_SOURCE, self._plan.channel, payload)
        self._progress.written = steps

    def _look(self, source: Server) -> None:
        written = self._progress.written
        answers = source.find(self._tables, questions(written, self._tables))
        if source_found(written, self._tables, answers) is not SourceWriteResult.WRITTEN:
            raise NotVerified(
                "The source committed its part, and its rows differ from that: somebody changed them right after.",
                "A SELECT on the source shows them; what was written is in the audit trail.",
            )
        self._progress.on_source = SourceWriteResult.WRITTEN

    def see(self) -> None:
        """Wait until the replica has it too. A channel that stopped before, on a later transaction, is the next round's."""
        if self._progress.on_source is not SourceWriteResult.WRITTEN:
            return
        self._operation.progress("Waiting until the replica has what was written on the source")
        if arrived(self._operation, self._plan.channel, self._progress.written, self._tables):
            self._progress.on_source = SourceWriteResult.SEEN
        elif self._operation.replica.status().applying(self._plan.channel):
            raise NotVerified(
                f"The source has its part; after {SEEN_SECONDS:.0f} s the replica does not have it yet.",
                "The channel runs: 'replfix status' shows how far behind it is. What was written is in the audit trail.",
            )


def of_round(
    operation: Operation, log: IncidentLog, plan: Plan, diagnosis: Diagnosis, progress: RoundProgress
) -> SourceWriter:
    """Return the writer for the part of a plan that this diagnosis led to."""
    side = diagnosis.evidence.on_source
    tables = side.tables if side is not None else {}

    def check(steps: tuple[Step, ...]) -> None:
        _none_of_its_own(operation, diagnosis.evidence, tables, steps)

    channel = diagnosis.evidence.channel
    return SourceWriter(operation, log, plan, progress, lambda: operation.source_of(channel), tables, check)


def _none_of_its_own(
    operation: Operation, evidence: Evidence, tables: Mapping[TableName, Table], steps: tuple[Step, ...]
) -> None:
    """Check that the replica has no row of its own with the name of one that comes from the source.

    Such a row would stop the replica: NotDone.
    """
    lookups = questions([step for step in steps if step.current is None], tables)
    held = {lookup: rows for lookup, rows in operation.replica.find(tables, lookups).items() if rows}
    leaving = _leaving(operation, evidence, tables) if held else set()
    own = next((each for each, rows in held.items() if _names(tables, each.table, rows) - leaving), None)
    if own is not None:
        raise NotDone(
            f"The replica has a row {own} of {own.table} of its own: what is written on the source would stop it.",
            "Nothing was written on the source.",
        )


def _leaving(operation: Operation, evidence: Evidence, tables: Mapping[TableName, Table]) -> set[Identity]:
    """Return the rows that the replica still has and the backlog touches.

    They are the source's, which has released their keys.
    """
    assert evidence.transaction is not None
    source, by_gtid = operation.source_of(evidence.channel), evidence.channel.auto_position
    changes = ChangesSince(source, evidence.transaction, evidence.status.executed, by_gtid, tables, [])
    found: set[Identity] = set()
    for change in changes.behind():
        if change.before is not None and change.table in tables:
            found |= _names(tables, change.table, (change.before,))
    return found


def _names(tables: Mapping[TableName, Table], name: TableName, rows: Iterable[RowImage]) -> set[Identity]:
    named = (identity_values(tables[name], row) for row in rows)
    return {(name, values) for values in named if values is not None}


def arrived(operation: Operation, channel: str, steps: Sequence[Step], tables: dict[TableName, Table]) -> bool:
    """Return whether the replica gets the rows as they were written; False also when the channel stops before."""
    clock, lookups = operation.clock, questions(steps, tables)
    deadline = clock.now() + SEEN_SECONDS
    while True:
        running = operation.replica.status().applying(channel)  # looked at first: what stops it may come last
        answers = operation.replica.find(tables, lookups)
        if source_found(steps, tables, answers) is SourceWriteResult.WRITTEN:
            return True
        if not running or clock.now() > deadline:
            return False
        clock.sleep(POLL_SECONDS)
