"""``replica-wins``: as source-wins, then the replica's rows are written on the source, over what is there."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.diagnosis.diagnosis import Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.source_feasibility import Named, SourceFeasibility
from replfix.core.plan.plan import Step
from replfix.core.plan.plan_steps import parents_first
from replfix.core.rows.lookup import by_identity, by_key
from replfix.core.rows.row_diff import differing
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies.source_write import proposed, written
from replfix.core.words import shortened
from replfix.errors import Refused

NAME = "replica-wins"
SUMMARY = (
    "As source-wins, then the displaced rows are written on the source, in place of what is there: every server gets the "
    "replica's values. Only when asked for by name."
)


def propose(evidence: Evidence) -> Proposal:
    """Return the plan that writes the replica's rows on the source, or why there is none."""
    return proposed(NAME, evidence, _steps, _risks)


def _steps(_: Evidence, side: SourceFeasibility, rows: tuple[Named, ...]) -> Iterator[Step]:
    """Yield rows that go first: they have keys that the others need.

    Parents come before their children.
    """
    deletes: dict[tuple[TableName, RowImage], Step] = {}
    updates: list[Step] = []
    inserts: list[Step] = []
    replaced: set[tuple[TableName, RowImage]] = set()
    for name, row in rows:
        table = side.tables[name]
        own = _same_row(side, table, row)
        if own is None:
            inserts.append(written(table, None, row))
        else:
            replaced.add((name, own))
            updates.append(written(table, own, row))
        for _key, held in side.holding(table, row):
            deletes.setdefault((name, held), written(table, held, None))
    gone = [step for named, step in deletes.items() if named not in replaced]
    for step in gone:
        _takes_nothing_else(side, step, rows)
    yield from reversed(tuple(parents_first(gone[::-1], side.tables)))
    yield from updates
    yield from parents_first(inserts, side.tables)


def _takes_nothing_else(side: SourceFeasibility, step: Step, rows: tuple[Named, ...]) -> None:
    """Check that the DELETE takes no other row of the replica.

    It comes there, and takes the row of that name, whatever that contains.
    """
    assert step.current is not None
    table = side.tables[step.table]
    other = side.another_here(table, step.current)
    if other is not None and (step.table, other) not in rows:
        raise Refused(
            f"On the source the row {by_identity(table, step.current)} of {table.name} would be deleted: it has a unique key of the "
            "replica's row. The replica has another row of that name, and the DELETE would take it when it comes here. Make these "
            "two rows the same first."
        )


def _same_row(side: SourceFeasibility, table: Table, row: RowImage) -> RowImage | None:
    """Return the source's row of that name."""
    assert table.identity is not None
    lookup = by_key(table, table.identity, row)
    found = side.holders.get(lookup, ()) if lookup is not None else ()
    return found[0] if found else None


def _risks(side: SourceFeasibility, steps: tuple[Step, ...]) -> tuple[str, ...]:
    lost = shortened(tuple(_lost(side.tables[step.table], step) for step in steps if step.current is not None), "row")
    return (*lost, _MUTUAL) if side.mutual else lost


_MUTUAL = (
    "The source replicates from this server too: it stops on the transaction with which a displaced row came here, if that was "
    "logged. Resolve it there with source-wins: both have that row then."
)


def _lost(table: Table, step: Step) -> str:
    assert step.current is not None
    named = f"On the source the row {by_identity(table, step.current)} of {table.name}"
    if step.target is None:
        return f"{named} is deleted: it has a unique key of the replica's row."
    return f"{named} loses its values of {', '.join(differing(table, step.current, step.target))}."
