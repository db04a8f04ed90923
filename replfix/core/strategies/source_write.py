"""Plans that go on where source-wins ends: displaced rows are written on the source, from where they reach every replica."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from replfix.core import sql
from replfix.core.conflicts.foreign_keys.child_rows import Child
from replfix.core.conflicts.reconcile import RowRepair
from replfix.core.diagnosis.diagnosis import Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.origin import not_written_here
from replfix.core.incident.source_feasibility import Named, SourceFeasibility
from replfix.core.plan.guard import Guard, GuardKind, fingerprint
from replfix.core.plan.plan import Plan, SourceWrite, Step, StepKind
from replfix.core.plan.plan_steps import parents_first
from replfix.core.plan.risk import Concern, risks_about
from replfix.core.plan.trigger_reach import Reach
from replfix.core.rows.row_diff import differing, same
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table
from replfix.core.strategies import source_wins
from replfix.core.strategies.undo_forecast import with_source
from replfix.core.words import counted
from replfix.errors import Refused

Steps = Callable[[Evidence, SourceFeasibility, tuple[Named, ...]], Iterator[Step]]
"""What is written on the source for those rows of the replica, parents first; Refused where that is not possible."""

Risks = Callable[[SourceFeasibility, tuple[Step, ...]], tuple[str, ...]]


def proposed(name: str, evidence: Evidence, steps_of: Steps, risks_of: Risks) -> Proposal:
    """Return the plan of source-wins, followed by steps on the source."""
    # What is quick to find out comes first: a transaction can have 100,000 rows.
    side, found = evidence.on_source, evidence.reconciliation
    if reason := source_wins.refusal_reason(evidence):
        return Proposal(name, None, reason)
    if evidence.unreachable is not None:
        return Proposal(
            name,
            None,
            "Nothing can be written on the source: it cannot be reached, or is not the one that the replica reads from.",
        )
    if found is None or all(repair.current is None for repair in found.repairs):
        return Proposal(
            name, None, f"No row of the replica is displaced, so there is none to write on the source: {_AS}."
        )
    if side is None or side.obstacles:
        return Proposal(name, None, " ".join(side.obstacles) if side is not None else "The source was not asked.")
    first = source_wins.propose(evidence)
    if (repair := first.plan) is None:
        return Proposal(name, None, first.reason)
    rows = _of_the_replica(evidence, side, repair)
    if not rows:
        return Proposal(
            name, None, f"The rows that are displaced came from the source, or are there just like that: {_AS}."
        )
    evidence = _with_children(evidence, side, rows)
    first = source_wins.propose(evidence)
    if (repair := first.plan) is None:
        return Proposal(name, None, first.reason)
    rows = _of_the_replica(evidence, side, repair)
    if reason := next(not_written_here(evidence, rows), ""):
        return Proposal(name, None, f"{reason}. Written on this source it would be there too, as another row.")
    try:
        steps = tuple(steps_of(evidence, side, rows))
    except Refused as error:
        return Proposal(name, None, error.message)
    if reason := next((r for step in steps if (r := cascade(step, side.tables[step.table]))), ""):
        return Proposal(name, None, reason)
    part = SourceWrite(side.uuid, steps)
    try:
        part = reaching(part, (reach for write in part.writes if (reach := side.reach.get(write)) is not None))
    except Refused as error:
        return Proposal(name, None, error.message)
    undoable, undo_outlook = with_source((repair.undoable, repair.undo_outlook), len(steps))
    plan = replace(
        repair,
        strategy=name,
        undoable=undoable,
        undo_outlook=undo_outlook,
        on_source=part,
        guards=(*repair.guards, *_guards(side, part)),
        risks=(*repair.risks, *risks_about(Concern.SOURCE, (*_risks(evidence, part), *risks_of(side, steps)))),
    )
    what = counted(len(rows), "displaced row")
    return Proposal(name, plan, f"All conflicting rows can be backed up, and {what} written on the source.", plan.risks)


_AS = "source-wins does the same"


def _with_children(evidence: Evidence, side: SourceFeasibility, rows: tuple[Named, ...]) -> Evidence:
    """Return the evidence, its displaced rows with those of their children that only the replica has.

    They are written on the source too, and come back from there.
    """
    found = evidence.reconciliation
    assert found is not None
    going = set(rows)
    family: dict[Named, Child] = {}
    for child in side.children:  # parents come first
        named = (child.foreign_key.child, child.row)
        if named in going or (child.foreign_key.parent, child.parent) in going:
            family.setdefault(named, child)
            going.add(named)
    if not family:
        return evidence
    cascade_effects = {(child.foreign_key.child, child.row) for child in found.cascade_effects}
    repaired = {(repair.table, repair.current) for repair in found.repairs}
    added = {named: child for named, child in family.items() if named not in repaired}
    repairs = (
        replace(r, target=None) if (r.table, r.current) in family and (r.table, r.current) in cascade_effects else r
        for r in found.repairs
    )
    return replace(
        evidence,
        reconciliation=replace(
            found,
            repairs=(*repairs, *(RowRepair(name, row, None) for name, row in added)),
            kept=tuple(child for child in found.kept if (child.foreign_key.child, child.row) not in family),
            cascade_effects=(*found.cascade_effects, *added.values()),
        ),
    )


def _of_the_replica(evidence: Evidence, side: SourceFeasibility, repair: Plan) -> tuple[Named, ...]:
    """Return the displaced rows that contain something which only the replica has.

    What was applied twice is the source's own.
    """
    assert evidence.reconciliation is not None
    own = {(c.table, c.replica_row) for c in evidence.reconciliation.conflicts if c.identical}
    displaced = parents_first(repair.displaced, evidence.tables)
    rows = dict.fromkeys((step.table, step.current) for step in displaced if step.current is not None)
    return tuple(
        (name, row)
        for name, row in rows
        if (name, row) not in own
        and not any(same(side.tables[name], row, held) for _, held in side.holding(side.tables[name], row))
    )


def written(
    table: Table,
    current: RowImage | None,
    target: RowImage | None,
    new_key: str = "",
    takes: Mapping[str, int] = sql.NOTHING_TAKEN,
) -> Step:
    """Return the step that brings one row of the source from ``current`` to ``target``.

    With ``new_key`` the source gives the value of that column, which ``target`` has NULL for; so it has for those in
    ``takes``.
    """
    names = tuple(column.name for column in table.columns)
    if current is None:
        assert target is not None
        undo = sql.delete_last_inserted(table, new_key) if new_key else sql.delete_row(table, target)
        text = sql.insert_row(table, target, takes)
        taken = tuple(takes.items())
        return Step(StepKind.INSERT, table.name, names, None, target, text, undo, new_key=new_key, takes=taken)
    if target is None:
        back = sql.insert_row(table, current)
        return Step(StepKind.DELETE, table.name, names, current, None, sql.delete_row(table, current), back)
    back = sql.update_row(table, target, current)
    return Step(StepKind.UPDATE, table.name, names, current, target, sql.update_row(table, current, target), back)


def reaching(part: SourceWrite, reached: Iterable[Reach]) -> SourceWrite:
    """Return the part with the triggers that its writes can set off there.

    Refused where one of them reaches too far.
    """
    reached = tuple(reached)
    if obstacles := dict.fromkeys(reason for reach in reached for reason in reach.obstacles):
        raise Refused(f"{' '.join(obstacles)} The write on the source would fire it.")
    return replace(part, fires=tuple(dict.fromkeys(fired for reach in reached for fired in reach.fires)))


def triggers_guard(part: SourceWrite) -> Guard:
    """Return the guard for the triggers that the part can set off."""
    if not part.fires:
        return Guard(GuardKind.NO_SOURCE_TRIGGER)
    return Guard.of(GuardKind.SOURCE_TRIGGERS, triggers=len(part.fires))


def triggers_risk(part: SourceWrite) -> tuple[str, ...]:
    """Return the risk of the triggers that the part can set off; empty without any."""
    if not part.fires:
        return ()
    named = ", ".join(str(fired) for fired in part.fires)
    return (
        f"On the source triggers fire, as for any client's write, and no undo takes back what they do: {named}. What "
        "they write reaches every replica too, and can meet rows there that the replica's own triggers wrote.",
    )


def cascade(step: Step, table: Table) -> str:
    """Return what foreign keys would make of a statement on the source beside what it says; empty for nothing.

    Such a step is not carried out.
    """
    if step.current is None:
        return ""
    event = step.kind.value.upper()
    changed = () if step.target is None else differing(table, step.current, step.target)
    for key in table.referenced_by:
        rule = key.on_delete if step.kind is StepKind.DELETE else key.on_update
        touched = step.target is None or set(key.parent_columns) & set(changed)
        if touched and rule in ("CASCADE", "SET NULL", "SET DEFAULT"):
            return (
                f"{key.child} references {table.name} with ON {event} {rule} ({key.name}): the write on the source could "
                "change rows of it."
            )
    return ""


def _guards(side: SourceFeasibility, part: SourceWrite) -> tuple[Guard, ...]:
    changed = sum(step.current is not None for step in part.steps)
    return (
        Guard.of(GuardKind.SOURCE, uuid=side.uuid, read="diagnosed", fingerprint=fingerprint(side.tables)),
        *([Guard.of(GuardKind.SOURCE_ROWS_AS_DIAGNOSED, rows=changed)] if changed else ()),
        triggers_guard(part),
        Guard(GuardKind.SOURCE_REHEARSED),
    )


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _risks(evidence: Evidence, part: SourceWrite) -> Iterator[str]:
    steps = part.steps
    tables = ", ".join(str(name) for name in dict.fromkeys(step.table for step in steps))
    yield (
        f"{counted(len(steps), 'row')} of {tables} {_is(len(steps))} written on the source, in one logged transaction: every "
        "replica of it gets that."
    )
    yield ("The source is written last. If that write fails, the rows exist only in the audit trail.")
    yield from triggers_risk(part)
    yield from delay_risk(evidence.channel.delay_seconds)


def delay_risk(seconds: int) -> tuple[str, ...]:
    """Return the risk of a channel that applies late on purpose (SOURCE_DELAY); empty without a delay."""
    if not seconds:
        return ()
    return (
        f"The channel applies {counted(seconds, 'second')} late on purpose: so long it takes until the replica has what is written on "
        "the source.",
    )
