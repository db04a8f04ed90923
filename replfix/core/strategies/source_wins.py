"""``source-wins``: give the failing transaction the state that it expects, then let the replica apply it itself."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.conflicts.foreign_keys.child_rows import Orphan, orphans_of, released_keys
from replfix.core.conflicts.reconcile import Reconciliation
from replfix.core.diagnosis.diagnosis import Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.generated_otherwise import generated_otherwise
from replfix.core.incident.held_twice import held_twice
from replfix.core.incident.held_values import other_values
from replfix.core.incident.skipped import REST_IS_MISSING, lost
from replfix.core.plan.guard import Guard, GuardKind
from replfix.core.plan.plan import ApplyMode, Kept, Plan, Step, StepKind
from replfix.core.plan.plan_steps import names_of, steps_of
from replfix.core.plan.risk import Concern, Risk, risks_about
from replfix.core.remedies import divergent_keys, extra_key, partial_images
from replfix.core.remedies.drift import narrower, not_converted
from replfix.core.remedies.no_applier import in_its_place, is_certain, no_applier
from replfix.core.remedies.other_servers import risks_elsewhere, would_swap
from replfix.core.replication.applier_error import ER_COULD_NOT_APPLY_JSON_DIFF, ROW_ERRORS
from replfix.core.rows.lookup import by_identity
from replfix.core.rows.row_diff import differing, logged_in_part
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import ForeignKey, Table
from replfix.core.strategies.guards import of_the_channel
from replfix.core.strategies.row_effects import displaced_risk
from replfix.core.strategies.undo_forecast import outlook
from replfix.core.words import counted
from replfix.errors import Refused

NAME = "source-wins"
SUMMARY = (
    "Restore the state that the failing transaction expects, displaced rows saved; the replica then applies the "
    "transaction itself."
)
REPAIRABLE = {
    1062: "duplicate key",
    1032: "missing row",
    1452: "missing parent row",
    1451: "child row too many",
    3648: "other JSON document",
}


def propose(evidence: Evidence) -> Proposal:
    """Return the plan that gives the transaction the state that it expects, or why there is none."""
    reason = refusal_reason(evidence)
    if reason:
        return Proposal(NAME, None, reason)
    assert evidence.reconciliation is not None
    assert evidence.transaction is not None
    try:
        steps = tuple(steps_of(evidence.reconciliation.repairs, evidence.tables))
    except Refused as error:
        return Proposal(NAME, None, error.message)
    row_events = not evidence.not_as_events
    reason = next((r for step in steps if (r := side_effect(step, evidence.tables[step.table], row_events))), "")
    if reason:
        printed = " 'replfix diagnose' prints what can be done." if partial_images.advise(evidence) else ""
        return Proposal(NAME, None, f"{reason}{printed}")
    net, why_not = in_its_place(evidence)
    if why_not and is_certain(evidence):
        return Proposal(NAME, None, f"{no_applier(evidence)}, and {why_not}.")
    undoable, undo_outlook = outlook(evidence, steps)
    plan = Plan(
        strategy=NAME,
        server_uuid=evidence.status.server_uuid,
        channel=evidence.channel.name,
        transaction=evidence.transaction.id,
        errno=evidence.error.errno,
        steps=steps,
        guards=_guards(evidence, steps, net),
        risks=_risks(evidence, steps, net),
        row_events=row_events,
        kept=_kept(evidence),
        orphans=_orphans(evidence, steps),
        way=ApplyMode.APPLY if net is None else ApplyMode.NET_ROWS,
        net_rows=net or (),
        undoable=undoable,
        undo_outlook=undo_outlook,
        run=evidence.transaction.run,
    )
    if plan.way is ApplyMode.NET_ROWS:
        return Proposal(
            NAME, plan, "What the transaction makes of its rows is carried out in the applier's place.", plan.risks
        )
    if (
        evidence.error.errno == ER_COULD_NOT_APPLY_JSON_DIFF
        and not evidence.reconciliation.conflicts
        and _in_part(evidence)
    ):
        return Proposal(
            NAME,
            None,
            "The event has only the differences of a JSON document, and not the document that they were made for "
            "(binlog_row_image=MINIMAL on the source): what the replica's row has to be is not in the binlog. Copy the row from the source and leave the "
            "transaction out ('replfix resolve --strategy skip'), where no later transaction changes the same row.",
        )
    if steps:
        return Proposal(
            NAME,
            plan,
            "All conflicting rows can be backed up and set to what the failing transaction expects.",
            plan.risks,
        )
    if evidence.transient:
        return Proposal(
            NAME, plan, "No row is in the way: the transaction is rehearsed, and the channel started again.", plan.risks
        )
    said = "No row is in the way now. The rehearsal shows whether the replica applies the transaction; the channel is started only then."
    return Proposal(NAME, plan, said, plan.risks)


def _in_part(evidence: Evidence) -> bool:
    changes = evidence.transaction.changes if evidence.transaction is not None else ()
    return any(
        logged_in_part(evidence.tables[c.table], image)
        for c in changes
        if c.table in evidence.tables
        for image in (c.before, c.after)
    )


def refusal_reason(evidence: Evidence) -> str:
    """Return why no plan can be made at all; empty when one can."""
    transaction, found = evidence.transaction, evidence.reconciliation
    if evidence.channel.group_replication:
        return "The channel belongs to Group Replication, whose members replfix does not repair."
    if evidence.error.errno not in ROW_ERRORS and not evidence.transient:
        return (
            f"The applier stopped with error {evidence.error.errno}, which no change of rows repairs; {NAME} repairs "
            + ", ".join(f"{errno} ({name})" for errno, name in REPAIRABLE.items())
            + "."
        )
    if transaction is None or found is None:
        return "The failing transaction could not be read: " + (" ".join(evidence.unknowns) or "no reason is known.")
    if transaction.statements:
        return (
            f"The transaction has {counted(len(transaction.statements), 'statement')} beside its rows, logged as text: the binlog does "
            "not have what that changes, so nothing can be rehearsed."
        )
    for name in dict.fromkeys(c.table for c in transaction.changes):
        table = evidence.tables.get(name)
        if table is None:
            return evidence.mismatches[name]
        if (reason := _drift(evidence, table)) or (reason := not_rehearsable(table)):
            return reason
    if found.repairs and evidence.blind_spots:
        return (
            f"The account lacks {' and '.join(evidence.blind_spots)} ON *.*, without which the replica hides triggers and "
            "foreign keys that a repair could set off. 'replfix doctor' names the GRANT."
        )
    if found.unidentified:
        return (
            f"The events do not have what names a row of {found.unidentified[0]} on the replica (binlog_row_image is not "
            "FULL on the source): the replica lacks the source's primary key."
        )
    if own_keys := divergent_keys.refusal(evidence):
        return own_keys
    if evidence.swaps:
        return would_swap(evidence)
    if only_here := extra_key.refusal(evidence):
        return only_here
    if twice := next(held_twice(evidence), None):
        return (
            f"The source itself has two rows of {twice.table.name} with one value in its unique key {twice.key.name} ({twice.value}): no "
            "server with that key takes both. 'replfix diagnose' prints what lets the replica go on."
        )
    if why := narrower(evidence) or not_converted(evidence):
        return f"{why} Make the column the source's first: 'replfix diagnose' prints the statements where it can."
    for name in evidence.tables:
        if why := other_values(evidence, name):
            return f"{why} Make the column the source's first: 'replfix diagnose' prints the statements where it can."
        if (otherwise := generated_otherwise(evidence, name)) is not None:
            return (
                f"{name}.{otherwise.name} is generated by another expression on the replica ({otherwise.expression or 'none'}) than on the "
                "source: the applier would store another value than the source has. Make the column the source's first."
            )
    if found.blockers:
        return found.blockers[0]
    if evidence.blocking is not None and not is_certain(evidence):
        return (
            f"The key that {evidence.blocking[0].name} stopped on is not in the event (binlog_row_image is not FULL on the source). 'replfix "
            "diagnose' prints the row that its message names, and how it is saved and deleted."
        )
    return _stuck(found)


def _stuck(found: Reconciliation) -> str:
    """Return why a row is in the way that no repair displaces: the transaction expects it just as it is."""
    displaced = {(r.table, r.current) for r in found.repairs}
    for conflict in found.conflicts:
        if conflict.replica_row is not None and (conflict.table, conflict.replica_row) not in displaced:
            return (
                f"The row of {conflict.table} that is in the way on {', '.join(conflict.keys)} is one that the transaction "
                "itself changes, and it is what the transaction expects: either the replica has a unique key that the "
                "source lacks, or the source does not log every column (binlog_row_image)."
            )
    return ""


def _drift(evidence: Evidence, table: Table) -> str:
    assert evidence.transaction is not None
    theirs = tuple(n.lower() for n in evidence.transaction.column_names[table.name])
    ours = tuple(c.name.lower() for c in table.columns)
    if theirs != ours:
        return (
            f"The columns of {table.name} are not the same on both servers (source: {', '.join(theirs)}; replica: "
            f"{', '.join(ours)})."
        )
    return ""


def not_rehearsable(table: Table) -> str:
    """Return why no transaction of the table is rehearsed; empty when it is."""
    if table.without_overlaps:
        return (
            f"{table.name} has a key WITHOUT OVERLAPS: which rows of the replica overlap a period that the transaction writes is not "
            "looked up. Compare the rows with that key by hand."
        )
    if not table.transactional:
        return f"{table.name} is a {table.engine} table: nothing done to it can be rolled back, so nothing can be rehearsed."
    return ""


def side_effect(step: Step, table: Table, row_events: bool) -> str:
    """Return why this step may not be carried out: what else it would do, or what is unknown."""
    if not step.sql:
        return (
            f"The missing row of {table.name} cannot be put back: the event did not log all of its columns "
            "(binlog_row_image is not FULL on the source)."
        )
    if step.current is not None and step.target is not None:
        columns = differing(table, step.current, step.target)
        if not columns:
            return (
                f"A row of {table.name} that is in the way is just as the source had it then: the replica has a unique "
                "or foreign key that the source lacks, or compares one under another collation; or, where both servers replicate "
                "from each other, the source has taken this server's row meanwhile."
            )
        if all(table.column(name).generated for name in columns):
            return (
                f"A row of {table.name} differs in generated columns only ({', '.join(columns)}): their expressions are "
                "not the same on both servers."
            )
    event = step.kind.value.upper()
    if not row_events and (triggers := [t.name for t in table.triggers if t.event == event]):
        return (
            f"{table.name} has a trigger for {event} ({', '.join(triggers)}), which a repair by statement would fire."
        )
    return ""


def _guards(evidence: Evidence, steps: tuple[Step, ...], net: tuple[Step, ...] | None) -> tuple[Guard, ...]:
    assert evidence.transaction is not None
    return (
        *of_the_channel(evidence, evidence.transaction.id),
        *_row_guards(steps, not evidence.not_as_events),
        *([Guard(GuardKind.CHILDREN_AS_NAMED)] if released_keys(steps, evidence.tables) else []),
        Guard(GuardKind.EVENTS_REHEARSED if net is None else GuardKind.OUTCOME_REHEARSED),
    )


def _row_guards(steps: tuple[Step, ...], row_events: bool) -> tuple[Guard, ...]:
    if not steps:
        return ()
    return (
        Guard.of(GuardKind.ROWS_AS_DIAGNOSED, rows=len(steps)),
        Guard(GuardKind.ROW_EVENTS_EXACT if row_events else GuardKind.STATEMENTS_EXACT),
    )


def _kept(evidence: Evidence) -> tuple[Kept, ...]:
    assert evidence.reconciliation is not None
    children = evidence.reconciliation.kept
    tables = [evidence.tables[child.foreign_key.child] for child in children]
    return tuple(
        Kept(table.name, names_of(table), child.row, child.foreign_key.name)
        for child, table in zip(children, tables, strict=True)
    )


def _orphans(evidence: Evidence, steps: tuple[Step, ...]) -> tuple[Orphan, ...]:
    """Return the orphans among the rows that the plan writes or leaves, and no others."""
    assert evidence.reconciliation is not None
    found = evidence.reconciliation
    rows = [(step.table, step.target) for step in steps if step.target is not None]
    rows += [(child.foreign_key.child, child.row) for child in found.kept]
    left = (orphan for name, row in rows for _, orphan in orphans_of(evidence.tables[name], row, found.orphans))
    return tuple(dict.fromkeys(left))


NAMED = 5
"""How many rows a risk names; the steps and the trail have all of them."""


def _children_risks(evidence: Evidence) -> Iterator[str]:
    assert evidence.reconciliation is not None
    found = evidence.reconciliation
    gone = {(repair.table, repair.current) for repair in found.repairs if repair.target is None}
    groups: dict[tuple[ForeignKey, str, str], list[RowImage]] = {}
    for child in found.cascade_effects:
        goes = (child.foreign_key.child, child.row) in gone
        groups.setdefault((child.foreign_key, "go too" if goes else "are changed", ""), []).append(child.row)
    for child in found.kept:
        orphaned = dict(orphans_of(evidence.tables[child.foreign_key.child], child.row, found.orphans))
        because = (
            "; on the source they have no parent either"
            if child.foreign_key in orphaned
            else "; a row with that key is there when the transaction is through"
        )
        groups.setdefault((child.foreign_key, "stay", because), []).append(child.row)
    for (key, what, because), rows in groups.items():
        table = evidence.tables[key.child]
        named = ", ".join(str(by_identity(table, row)) for row in rows[:NAMED])
        more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
        yield (
            f"{key.parent} loses keys that are referenced: {counted(len(rows), 'row')} of {key.child} ({key.name}; {named}{more}) "
            f"{what if len(rows) > 1 else _SINGULAR[what]}{because}."
        )


def _orphan_risks(evidence: Evidence, steps: tuple[Step, ...]) -> Iterator[str]:
    assert evidence.reconciliation is not None
    for step in steps:
        if step.target is None:
            continue
        table = evidence.tables[step.table]
        for key, _ in orphans_of(table, step.target, evidence.reconciliation.orphans):
            yield (
                f"{by_identity(table, step.target)} of {step.table} comes without the row of {key.parent} that it references "
                f"({key.name}): the source does not have that one either."
            )


def _counter_risks(evidence: Evidence, steps: tuple[Step, ...]) -> Iterator[str]:
    """Yield the counters that go up.

    The rehearsal moves them too: one that it has moved is still among them.
    """
    for name, counter in evidence.counters.items():
        ordinal = counter.column.ordinal
        ids = [step.target[ordinal] for step in steps if step.table == name and step.target is not None]
        most = max((value for value in ids if isinstance(value, int)), default=0)
        reach = most + evidence.replica_auto_increment.increment
        if most > max(counter.highest or 0, 0) and (counter.next_value is None or counter.next_value <= reach):
            yield (
                f"A row with {counter.column.name} {most} comes to {name}, where {counter.highest or 'none'} is the highest: its "
                f"AUTO_INCREMENT counter goes on after {most} from then on. The rehearsal alone moves it, and no undo lowers it."
            )


def _default_risks(evidence: Evidence, steps: tuple[Step, ...]) -> Iterator[str]:
    for name in dict.fromkeys(step.table for step in steps if step.kind is StepKind.INSERT):
        rows = [step.target for step in steps if step.table == name and step.target is not None]
        own = [c.name for c in evidence.tables[name].columns if c.own and any(r[c.ordinal] is NOT_LOGGED for r in rows)]
        if own:
            yield f"{name} has columns that the source does not have ({', '.join(own)}): in rows that are put back they get their default."


_SINGULAR = {"go too": "goes too", "are changed": "is changed", "stay": "stays"}


def _risks(evidence: Evidence, steps: tuple[Step, ...], net: tuple[Step, ...] | None) -> tuple[Risk, ...]:
    return (
        *risks_about(Concern.ROWS, _row_risks(evidence, steps, net)),
        *risks_about(Concern.OTHERS, risks_elsewhere(evidence, steps)),
        *risks_about(Concern.ROWS, _risks_of_families(evidence, steps)),
        *risks_about(Concern.SETTINGS, _counter_risks(evidence, steps)),
        *risks_about(Concern.ROWS, _default_risks(evidence, steps)),
        *risks_about(Concern.ROWS, [REST_IS_MISSING] if next(lost(evidence), None) is not None else []),
        *risks_about(Concern.SETTINGS, _read_only_risk(evidence)),
        *risks_about(Concern.OTHERS, _risk_below(evidence, steps)),
        *risks_about(Concern.SETTINGS, _delay_risk(evidence)),
    )


def _row_risks(evidence: Evidence, steps: tuple[Step, ...], net: tuple[Step, ...] | None) -> Iterator[str]:
    if net is not None:
        yield (
            f"replfix carries out the transaction itself ({counted(len(net), 'row')}), logged under its GTID, without triggers and "
            f"foreign key checks. {no_applier(evidence)}."
        )
    if displaced := displaced_risk(steps):
        yield displaced
    yield from divergent_keys.risks(evidence)
    yield from partial_images.risks(evidence)


def _risks_of_families(evidence: Evidence, steps: tuple[Step, ...]) -> Iterator[str]:
    yield from _children_risks(evidence)
    yield from _orphan_risks(evidence, steps)


def _read_only_risk(evidence: Evidence) -> Iterator[str]:
    if evidence.status.super_read_only:
        yield "super_read_only is switched off while the plan is rehearsed and applied, and put back right after."


def _risk_below(evidence: Evidence, steps: tuple[Step, ...]) -> Iterator[str]:
    if steps:
        named = (
            f"Replicas below this one ({', '.join(evidence.below)})" if evidence.below else "Replicas below this one"
        )
        yield f"{named} do not get the repair (it is not logged) and keep a conflict of their own."


def _delay_risk(evidence: Evidence) -> Iterator[str]:
    if evidence.channel.delay_seconds:
        yield (
            f"The channel applies {counted(evidence.channel.delay_seconds, 'second')} late on purpose (SOURCE_DELAY). It "
            "stays so: what follows the failing transaction waits for its time."
        )
