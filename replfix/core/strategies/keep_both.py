"""``keep-both``: as source-wins, then the displaced row is written on the source under a key that no row has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from replfix.core.diagnosis.diagnosis import Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.source_feasibility import Named, SourceFeasibility
from replfix.core.plan.plan import Step
from replfix.core.rows.lookup import by_identity
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import Column, Table, TableName, UniqueKey
from replfix.core.strategies.source_write import proposed, written
from replfix.core.words import counted, shortened
from replfix.errors import Refused

NAME = "keep-both"
SUMMARY = (
    "As source-wins, then each displaced row is written on the source under a new AUTO_INCREMENT value, its children after it: "
    "both rows are kept, on every server. Only when asked for by name."
)


def propose(evidence: Evidence) -> Proposal:
    """Return the plan that keeps both rows, or why there is none."""

    def steps(evidence: Evidence, side: SourceFeasibility, rows: tuple[Named, ...]) -> Iterator[Step]:
        return under_new_keys(evidence.tables, side, rows)

    return proposed(NAME, evidence, steps, _risks)


@dataclass(frozen=True, slots=True)
class _Moved:
    """A row that gets another value of that column: one that is known, or what the step of that number is given."""

    table: Table
    row: RowImage
    column: Column
    value: int | None
    step: int


def under_new_keys(
    tables: Mapping[TableName, Table], side: SourceFeasibility, rows: tuple[Named, ...]
) -> Iterator[Step]:
    """Yield what writes those rows of the replica on the source, parents first.

    Each gets its own key where that is free. ``tables`` are the replica's. Refused where no new key can be given without
    guessing.
    """
    beyond = dict(side.beyond)
    moved: list[_Moved] = []
    for number, (name, row) in enumerate(rows, 1):
        table = side.tables[name]
        target, takes, followed = _following(tables[name], row, moved)
        if target != row or takes:
            target = _to_be_generated(table, target)
        # A key with a column that follows its parent to a new value is one that nobody has.
        keys = {key.name for key in table.unique_keys if followed & {part.column for part in key.parts}}
        taken = {key: held for key, held in side.holding(table, row) if key not in keys}
        if not taken:
            yield written(table, None, target, takes=takes)  # its own key is free: there is nobody to keep it from
            continue
        column = _new_value_for(table, taken)
        value = beyond.get(name)
        moved.append(_Moved(table, row, column, value, number))
        target = tuple(value if c is column else old for c, old in zip(table.columns, target, strict=True))
        target = _to_be_generated(table, target)
        if value is not None:
            beyond[name] = value + side.increment
        yield written(table, None, target, new_key="" if value is not None else column.name, takes=takes)
    for number, (name, row) in enumerate(rows, 1):
        later = [parent for parent in moved if parent.step >= number]
        if _following(tables[name], row, later)[2]:
            raise Refused(
                f"A displaced row of {name} references itself, or rows that reference it in turn: they cannot be written on the "
                "source one after the other."
            )


def _following(table: Table, row: RowImage, moved: list[_Moved]) -> tuple[RowImage, dict[str, int], set[str | None]]:
    """Return the row with references to those parents as they are named now, and what that changes.

    That is: the columns whose value a step gives, and all columns that change.
    """
    values, takes, followed = list(row), dict[str, int](), set[str | None]()
    for key in table.foreign_keys:
        pairs = tuple(zip(key.child_columns, key.parent_columns, strict=True))
        for parent in moved:
            if parent.table.name != key.parent or not _references(table, row, pairs, parent):
                continue
            for child_column, parent_column in pairs:
                if parent_column.lower() == parent.column.name.lower():
                    column = table.column(child_column)
                    values[column.ordinal] = parent.value
                    followed.add(column.name)
                    if parent.value is None:
                        takes[column.name] = parent.step
    return tuple(values), takes, followed


def _to_be_generated(table: Table, row: RowImage) -> RowImage:
    """Return the row without what the source makes of its other columns, as far as no key contains it."""
    keys = {name.lower() for key in table.unique_keys for name in key.columns}
    return tuple(
        NOT_LOGGED if column.generated and column.name.lower() not in keys else value
        for column, value in zip(table.columns, row, strict=True)
    )


def _references(table: Table, row: RowImage, pairs: tuple[tuple[str, str], ...], parent: _Moved) -> bool:
    return all(row[table.column(c).ordinal] == parent.row[parent.table.column(p).ordinal] for c, p in pairs)


def _new_value_for(table: Table, taken: dict[str, RowImage]) -> Column:
    """Return the AUTO_INCREMENT column, when a new value of it makes every key free that is taken.

    Refused when it does not.
    """
    column = next((c for c in table.columns if c.auto_increment), None)
    for key in table.unique_keys:
        if key.name in taken and (column is None or not _has(key, column)):
            holder = by_identity(table, taken[key.name])
            raise Refused(
                f"A displaced row of {table.name} cannot be written on the source beside the row {holder}: both have the same "
                f"{', '.join(key.columns)} (unique key {key.name}), and only an AUTO_INCREMENT column can be given a new value "
                "without guessing."
            )
    assert column is not None  # some key is taken
    return column


def _has(key: UniqueKey, column: Column) -> bool:
    return any(part.column is not None and part.column.lower() == column.name.lower() for part in key.parts)


def _risks(side: SourceFeasibility, steps: tuple[Step, ...]) -> tuple[str, ...]:
    risks = shortened(tuple(_new_name(side.tables[step.table], step) for step in steps), "row")
    for name in dict.fromkeys(step.table for step in steps if step.takes):
        rows = counted(sum(step.table == name and bool(step.takes) for step in steps), "row")
        risks += (f"{rows} of {name} that reference displaced rows follow them to their new keys.",)
    if any(step.new_key for step in steps):
        risks += (
            "Each rehearsal on the source takes AUTO_INCREMENT values there and rolls back: those numbers are never used.",
        )
    if side.mutual:
        risks += (
            "The source replicates from this server too: it stops on the transaction with which a displaced row came here, if "
            "that was logged. Leave it out there (skip): the source has the row under its new key.",
        )
    return (
        *risks,
        "Anything that refers to the old key without a foreign key (other tables, systems, people) will now mean the source's row.",
    )


def _new_name(table: Table, step: Step) -> str:
    assert step.target is not None
    if step.new_key:
        return f"A displaced row of {table.name} gets the source's next value of {step.new_key}."
    return f"A displaced row of {table.name} is written with the key {by_identity(table, step.target)}, which is free."
