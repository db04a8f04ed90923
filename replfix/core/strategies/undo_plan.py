"""Taking a plan back: its steps the other way round, and what is in their way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from replfix.core import sql
from replfix.core.conflicts.foreign_keys.child_rows import Child
from replfix.core.plan.guard import Guard, GuardKind, fingerprint
from replfix.core.plan.plan import Plan, SourceWrite, Step, StepKind, Undoable
from replfix.core.rows.lookup import Answers, Lookup, by_identity, by_key
from replfix.core.rows.row_diff import differing, logged_in_part, same, without_own
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import ForeignKey, Table, TableName
from replfix.core.strategies.source_write import delay_risk, triggers_guard, triggers_risk
from replfix.core.words import SHOWN, counted, shortened
from replfix.errors import Refused

STRATEGY = "undo"
_INVERSE = {
    StepKind.DELETE: StepKind.INSERT,
    StepKind.INSERT: StepKind.DELETE,
    StepKind.UPDATE: StepKind.UPDATE,
}

Tables = Mapping[TableName, Table]
Where = Literal["source", "replica"]


def inverse(plan: Plan, tables: Tables, *, row_events: bool) -> Plan:
    """Return the plan that takes back what ``plan`` did on the replica, last step first.

    Refused when a row cannot be written as it was.
    """
    return replace(
        plan,
        strategy=STRATEGY,
        steps=turned_round(plan.steps, tables),
        guards=_guards(plan),
        risks=_risks(plan),
        row_events=row_events,
        kept=(),
        orphans=(),
        net_rows=(),
        undoable=Undoable.NOTHING,
        undo_outlook="",
    )


def also_on_source(
    plan: Plan,
    part: SourceWrite,
    tables: Tables,
    *,
    lost: tuple[str, ...],
    fired: tuple[str, ...],
    kept_in: str,
    delay_seconds: int = 0,
) -> Plan:
    """Return the inverse with what is taken back on the source, which comes first.

    ``lost``: why nothing comes back on the replica; empty when it does. ``fired``: the triggers that may have fired
    when it was written. ``kept_in``: the record that has what was displaced. ``tables`` are the source's.
    """
    rows = counted(len(part.steps), "row")
    names = ", ".join(str(name) for name in dict.fromkeys(step.table for step in part.steps))
    defined = fingerprint({step.table: tables[step.table] for step in part.steps})
    guards = (
        Guard.of(GuardKind.SOURCE, uuid=part.server_uuid, read="looked at", fingerprint=defined),
        Guard.of(GuardKind.ROWS_AS_LEFT_ON_BOTH, rows=len(part.steps)),
        Guard(GuardKind.KEYS_FREE_ON_BOTH),
        triggers_guard(part),
        Guard(GuardKind.SOURCE_REHEARSED),
    )
    risks = [
        f"What the repair wrote on the source is taken back there first ({rows} of {names}), in one logged transaction: every replica "
        "of it gets that."
    ]
    if any(step.target is None for step in part.steps):
        risks.append(
            "What names a row that goes by its key without a foreign key (another table, another system, people) finds it no more."
        )
    if fired:
        risks.append(f"What triggers of the source did when it was written stays: {', '.join(fired)}.")
    risks += (*triggers_risk(part), *delay_risk(delay_seconds))
    if not lost:
        return replace(plan, on_source=part, guards=(*guards, *plan.guards), risks=(*risks, *plan.risks))
    risks += (
        f"On the replica the displaced rows do not come back. {' '.join(shortened(lost, 'reason'))}",
        f"Then only the audit trail is sure to have them: 'replfix audit show {kept_in}'.",
        _stays(plan),
    )
    return replace(plan, steps=(), on_source=part, guards=guards, risks=tuple(risks))


def in_order(undo: Plan) -> Iterator[tuple[Where, Step]]:
    """Yield its steps, each with the server on which it is carried out."""
    if undo.on_source is not None:
        yield from (("source", step) for step in undo.on_source.steps)
    yield from (("replica", step) for step in undo.steps)


def turned_round(steps: Sequence[Step], tables: Tables) -> tuple[Step, ...]:
    """Return what takes the steps back, last step first. Refused when a row cannot be written as it was."""
    return tuple(_inverse(step, tables[step.table]) for step in reversed(steps))


def _inverse(step: Step, table: Table) -> Step:
    now, then = step.target, step.current
    if any(logged_in_part(table, image) for image in (now, then)):
        raise Refused(f"A row of {table.name} is not known in full: the record lacks columns of it.")
    return Step(
        kind=_INVERSE[step.kind],
        table=step.table,
        columns=step.columns,
        current=now,
        target=then,
        sql=_statement(table, now, then),
        undo_sql=_statement(table, then, now),
    )


def _statement(table: Table, current: RowImage | None, target: RowImage | None) -> str:
    if current is None:
        assert target is not None
        return sql.insert_row(table, target)
    return sql.delete_row(table, current) if target is None else sql.update_row(table, current, target)


def _guards(plan: Plan) -> tuple[Guard, ...]:
    return (
        Guard.of(GuardKind.SERVER, uuid=plan.server_uuid),
        Guard.of(GuardKind.ROWS_AS_LEFT, rows=len(plan.steps)),
        Guard(GuardKind.KEYS_FREE),
        Guard(GuardKind.FAMILIES_WHOLE),
        Guard(GuardKind.ALL_OR_NONE),
    )


def _risks(plan: Plan) -> tuple[str, ...]:
    return (
        "The replica then differs from its source again: a later diagnosis shows it, and a later transaction on these rows "
        "or keys can stop replication.",
        _stays(plan),
        "Replicas below this one do not get the undo (it is not logged).",
    )


def _stays(plan: Plan) -> str:
    if plan.run is not None:
        return f"The transactions themselves are not taken back: {plan.covers}."
    return f"{plan.transaction} itself is not taken back."


def questions(steps: Iterable[Step], tables: Tables) -> tuple[Lookup, ...]:
    """Return what has to be looked up on a server to find what is in the way of those steps there."""
    return tuple(dict.fromkeys(lookup for step in steps for lookup in _asked(step, tables[step.table])))


def _asked(step: Step, table: Table) -> Iterator[Lookup]:
    for image in (step.current, step.target):
        if image is not None and (lookup := by_identity(table, image)) is not None:
            yield lookup
    if step.target is not None:
        yield from (lookup for key in table.unique_keys if (lookup := by_key(table, key, step.target)) is not None)


def in_the_way(steps: Sequence[Step], tables: Tables, answers: Answers, before: Sequence[Step] = ()) -> tuple[str, ...]:
    """Return why the steps cannot be carried out on the rows that were found, a sentence each; empty when they can.

    ``before``: steps that are carried out first.
    """
    own = {
        (step.table, without_own(tables[step.table], step.current))
        for step in (*before, *steps)
        if step.current is not None
    }
    alike = Counter((step.table, step.current) for step in steps)
    reasons: list[str] = []
    for step in steps:
        table, number = tables[step.table], alike[step.table, step.current]
        if not table.transactional:
            reasons.append(f"{table.name} is a {table.engine} table: what is done to it cannot be rolled back.")
        elif (reason := _changed(step, table, answers, number)) or (reason := _taken(step, table, answers, own)):
            reasons.append(reason)
    return tuple(dict.fromkeys(reasons))


def orphaned(steps: Sequence[Step], children: Iterable[Child], tables: Tables) -> Iterator[str]:
    """Yield the rows that would be left without a parent, but for those that the undo itself takes out or changes."""
    own = {(step.table, step.current) for step in steps}
    left: dict[ForeignKey, list[str]] = {}
    for child in children:
        if (child.foreign_key.child, child.row) not in own:
            named = by_identity(tables[child.foreign_key.child], child.row)
            left.setdefault(child.foreign_key, []).append(str(named))
    for key, names in left.items():
        more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        yield (
            f"{counted(len(names), 'row')} of {key.child} ({'; '.join(names[:SHOWN])}{more}) "
            f"{'reference' if len(names) > 1 else 'references'} by {key.name} a row of {key.parent} that the undo would take out or "
            "give another key."
        )


def _changed(step: Step, table: Table, answers: Answers, alike: int) -> str:
    """Return why the row is not what the repair left; empty when it is.

    ``alike``: how many rows that are the same there are to be, where no key names them.
    """
    if step.current is None:
        return ""
    lookup = by_identity(table, step.current)
    found = answers[lookup] if lookup is not None else ()
    if lookup is not None and lookup.key is None:
        times = "once" if alike == 1 else f"{alike} times"
        return "" if len(found) == alike else f"A row of {table.name} is there {len(found)} times now, not {times}."
    if not found:
        return f"The row {lookup} of {table.name} that the repair left is gone."
    if columns := differing(table, step.current, found[0]):
        return f"The row {lookup} of {table.name} was changed since the repair: {', '.join(columns)} differ."
    return ""


def _taken(step: Step, table: Table, answers: Answers, own: set[tuple[TableName, RowImage]]) -> str:
    """Return which key of the row that is to come back is taken, and by which row; empty when all are free.

    Rows that steps take out or change are in nobody's way: what these come to was beside that row before.
    """
    if step.target is None:
        return ""
    for key in table.unique_keys:
        lookup = by_key(table, key, step.target)
        for row in answers[lookup] if lookup is not None else ():
            if (table.name, without_own(table, row)) in own:
                continue
            holder = by_identity(table, row)
            stands = "It is there already, just as it was." if same(table, row, step.target) else ""
            return (
                f"A row cannot come back to {table.name}: its key {key.name} ({lookup}) is taken by the row {holder}. {stands}"
            ).rstrip()
    return ""
