"""Taking a plan back: its steps the other way round, and what stands in their way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from replfix.core import sql
from replfix.core.children import Child
from replfix.core.lookup import Answers, Lookup, by_identity, by_key
from replfix.core.plan import Plan, Step, StepKind
from replfix.core.row_diff import differing, same
from replfix.core.table import Table, TableName
from replfix.core.values import NOT_LOGGED, RowImage
from replfix.core.words import counted
from replfix.errors import Refused

STRATEGY = "undo"
_INVERSE = {
    StepKind.DELETE: StepKind.INSERT,
    StepKind.INSERT: StepKind.DELETE,
    StepKind.UPDATE: StepKind.UPDATE,
}

Tables = Mapping[TableName, Table]


def inverse(plan: Plan, tables: Tables, *, row_events: bool) -> Plan:
    """The plan that takes ``plan`` back, last step first. Refused when a row cannot be written as it was."""
    steps = tuple(_inverse(step, tables[step.table]) for step in reversed(plan.steps))
    return replace(
        plan, strategy=STRATEGY, steps=steps, guards=_guards(plan), risks=_risks(plan), row_events=row_events, kept=()
    )


def _inverse(step: Step, table: Table) -> Step:
    now, then = step.target, step.current
    if NOT_LOGGED in (*(now or ()), *(then or ())):
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


def _guards(plan: Plan) -> tuple[str, ...]:
    return (
        f"the server is {plan.server_uuid}",
        f"{counted(len(plan.steps), 'row')}, locked, exactly as the repair left them",
        "every key of a row that comes back is free",
        "no other row references one that goes, and each that comes back has its parents",
        "each step finds exactly one row; otherwise all of them are rolled back",
    )


def _risks(plan: Plan) -> tuple[str, ...]:
    return (
        "The replica then differs from its source again: a later diagnosis shows it, and a later transaction on these rows "
        "or keys can stop replication.",
        f"{plan.transaction} itself is not taken back.",
        "Replicas below this one do not get the undo (it is not logged).",
    )


def questions(undo: Plan, tables: Tables) -> tuple[Lookup, ...]:
    """What has to be known of the replica to tell what stands in the way."""
    return tuple(dict.fromkeys(lookup for step in undo.steps for lookup in _asked(step, tables[step.table])))


def _asked(step: Step, table: Table) -> Iterator[Lookup]:
    for image in (step.current, step.target):
        if image is not None and (lookup := by_identity(table, image)) is not None:
            yield lookup
    if step.target is not None:
        yield from (lookup for key in table.unique_keys if (lookup := by_key(table, key, step.target)) is not None)


def in_the_way(undo: Plan, tables: Tables, answers: Answers) -> tuple[str, ...]:
    """Why the steps cannot be carried out on the rows that were found, a sentence each; empty when they can."""
    gone = {(step.table, step.current) for step in undo.steps if step.kind is StepKind.DELETE}
    reasons: list[str] = []
    for step in undo.steps:
        table = tables[step.table]
        if not table.transactional:
            reasons.append(f"{table.name} is a {table.engine} table: what is done to it cannot be rolled back.")
        elif (reason := _changed(step, table, answers)) or (reason := _taken(step, table, answers, gone)):
            reasons.append(reason)
    return tuple(dict.fromkeys(reasons))


def orphaned(undo: Plan, children: Iterable[Child]) -> Iterator[str]:
    """Rows that would be left without a parent: those that the undo itself does not take out or change."""
    own = {(step.table, step.current) for step in undo.steps}
    numbers = Counter(child.foreign_key for child in children if (child.foreign_key.child, child.row) not in own)
    for key, number in numbers.items():
        yield (
            f"{counted(number, 'row')} of {key.child} {'reference' if number > 1 else 'references'} by {key.name} a row of "
            f"{key.parent} that the undo would take out or give another key."
        )


def _changed(step: Step, table: Table, answers: Answers) -> str:
    """Why the row is not what the repair left; empty when it is."""
    if step.current is None:
        return ""
    lookup = by_identity(table, step.current)
    found = answers[lookup] if lookup is not None else ()
    if lookup is not None and lookup.key is None:
        return "" if len(found) == 1 else f"A row of {table.name} is there {len(found)} times now, not once."
    if not found:
        return f"The row {lookup} of {table.name} that the repair left is gone."
    if columns := differing(table, step.current, found[0]):
        return f"The row {lookup} of {table.name} was changed since the repair: {', '.join(columns)} differ."
    return ""


def _taken(step: Step, table: Table, answers: Answers, gone: set[tuple[TableName, RowImage | None]]) -> str:
    """Which key of the row that is to come back is taken, and by which row; empty when all are free."""
    if step.target is None:
        return ""
    for key in table.unique_keys:
        lookup = by_key(table, key, step.target)
        for row in answers[lookup] if lookup is not None else ():
            if row == step.current or (table.name, row) in gone:  # its own row, or one that the undo takes out
                continue
            holder = by_identity(table, row)
            stands = "It is there already, just as it was." if same(table, row, step.target) else ""
            return (
                f"A row cannot come back to {table.name}: its key {key.name} ({lookup}) is taken by the row {holder}. {stands}"
            ).rstrip()
    return ""
