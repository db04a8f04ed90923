"""The inverse of a recorded repair, and what is in its way on both servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from replfix.core.binlog.row_event import RawEvents, Transaction
from replfix.core.conflicts.foreign_keys.child_rows import parents_wanted, released_keys
from replfix.core.plan.plan import Plan, Step
from replfix.core.plan.recorded_plan import as_recorded, fired, read_plan, tables_named
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies.source_wins import side_effect
from replfix.core.strategies.undo_plan import also_on_source, in_the_way, inverse, orphaned, questions
from replfix.errors import Refused, ReplicationError
from replfix.ports import Replica
from replfix.workflow.investigate.foreign_keys.plan_children import referencing
from replfix.workflow.investigate.recorded_repair import Repaired
from replfix.workflow.operation import Operation
from replfix.workflow.undo.source_undo import SourceUndo, source_half


@dataclass(frozen=True, slots=True)
class UndoState:
    """The plan of an undo, and what is in its way on both servers."""

    repair: Plan
    plan: Plan
    tables: Mapping[TableName, Table]  # the replica's
    events: Transaction
    in_the_way: tuple[str, ...]
    source: SourceUndo | None = None

    @property
    def rehearsed(self) -> Plan:
        """The plan with all that will be done to the replica's rows, by whichever way it comes there."""
        mirrored = self.source.mirrored if self.source is not None else ()
        return replace(self.plan, steps=(*mirrored, *self.plan.steps))


def inspect(operation: Operation, repair: Repaired) -> UndoState:
    """Look at everything anew: the plan is the same as long as nothing has changed."""
    replica, document, written = operation.replica, repair.document, repair.on_source
    named = dict.fromkeys((*tables_named(document), *(tables_named(written) if written is not None else ())))
    tables = {name: replica.table(name) for name in named}
    repair_plan = read_plan(document, tables)
    ours = as_recorded(tables, repair_plan.steps)
    events = _events(replica, ours)
    plan = inverse(repair_plan, ours, row_events=bool(events.raw.format_description))
    if written is None:
        return UndoState(repair_plan, plan, ours, events, _reasons(replica, plan, ours, ()))
    if blind := _blind(replica):
        return UndoState(repair_plan, plan, ours, events, blind)
    half = source_half(operation, plan, written, ours)
    lost = _taken_by_the_source(half) or _reasons(replica, plan, ours, half.mirrored)
    plan = also_on_source(
        plan,
        half.part,
        half.tables,
        lost=lost,
        fired=fired(written),
        kept_in=repair.intent.id,
        delay_seconds=half.channel.delay_seconds,
    )
    return UndoState(repair_plan, plan, ours, events, half.in_the_way, half)


def _taken_by_the_source(half: SourceUndo) -> tuple[str, ...]:
    """Return why nothing comes back on the replica; empty when no row of the source is restored.

    Such a row was overwritten or deleted, because it was where a displaced row was to be.
    """
    if all(step.target is None for step in half.part.steps):
        return ()
    return ("The rows that the source gets back have their places.",)


def _blind(replica: Replica) -> tuple[str, ...]:
    if blind := replica.granted().blind_spots:
        return (
            f"The account lacks {' and '.join(blind)} ON *.*, without which the replica hides triggers and foreign keys that "
            "an undo could set off. 'replfix doctor' names the GRANT.",
        )
    return ()


def _reasons(replica: Replica, plan: Plan, tables: dict[TableName, Table], before: tuple[Step, ...]) -> tuple[str, ...]:
    """Return why nothing comes back on the replica, once the steps ``before`` have come there.

    ``tables`` gains those of parents and children.
    """
    if blind := _blind(replica):
        return blind
    effects = tuple(reason for step in plan.steps if (reason := side_effect(step, tables[step.table], plan.row_events)))
    if effects:
        return effects
    steps = (*before, *plan.steps)
    bereaved = tuple(_without_parent(replica, plan, tables, steps))
    try:
        children = referencing(replica, tables, released_keys(steps, tables))
    except Refused as error:
        return (error.message,)
    return (
        *in_the_way(plan.steps, tables, replica.find(tables, questions(plan.steps, tables)), before),
        *orphaned(steps, children, tables),
        *bereaved,
    )


def _without_parent(
    replica: Replica, plan: Plan, tables: dict[TableName, Table], steps: tuple[Step, ...]
) -> Iterator[str]:
    """Yield which rows would come back without a parent.

    Where a step writes parents, the rehearsal shows that.
    """
    going = {(step.table, step.current) for step in steps}
    written = {step.table for step in steps if step.target is not None}
    for step, key, lookup in parents_wanted(plan.steps, tables):
        if key.parent not in tables and (parent := replica.table(key.parent)) is not None:
            tables[key.parent] = parent
        if key.parent in written or key.parent not in tables:
            continue
        if all((key.parent, row) in going for row in replica.find(tables, (lookup,))[lookup]):
            yield (
                f"A row cannot come back to {step.table}: it references {key.parent} ({lookup}) by {key.name}, and there is no such row."
            )


def _events(replica: Replica, tables: Mapping[TableName, Table]) -> Transaction:
    """Return the transaction after which row events are modelled: of the replica's own log, without a change.

    Its format description is empty where rows have to be written by statements.
    """
    description = b""
    if not any(replica.not_as_events(table) for table in tables.values()):
        with suppress(ReplicationError):  # it keeps no binlog
            description = replica.format_description()
    return Transaction(None, "", 0, 0, datetime.now(UTC), 0, None, (), {}, RawEvents(description, ()))
