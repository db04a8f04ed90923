"""``keep-both``: as source-wins, then the displaced row is written on the source under a key that nobody holds."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.diagnosis import Proposal
from replfix.core.evidence import Evidence
from replfix.core.lookup import by_identity
from replfix.core.on_source import proposed, written
from replfix.core.plan import Step
from replfix.core.source_side import Named, SourceSide
from replfix.core.table import Column, Table, UniqueKey
from replfix.core.values import RowImage
from replfix.core.words import shortened
from replfix.errors import Refused

NAME = "keep-both"
RANK = 4
SUMMARY = (
    "As source-wins, then each displaced row is written on the source under a new AUTO_INCREMENT value: both rows are kept, on "
    "every server. Only when asked for by name."
)


def propose(evidence: Evidence) -> Proposal:
    steps = evidence.source_auto_increment.increment if evidence.source_auto_increment is not None else 1
    return proposed(NAME, evidence, lambda side, rows: _steps(side, rows, steps), _risks)


def _steps(side: SourceSide, rows: tuple[Named, ...], increment: int) -> Iterator[Step]:
    _no_children(side, rows)
    beyond = dict(side.beyond)
    for name, row in rows:
        table = side.tables[name]
        taken = dict(side.holding(table, row))
        if not taken:
            yield written(table, None, row)  # its own key is free: there is nobody to keep it from
            continue
        column = _new_value_for(table, taken)
        value = beyond.get(name)
        target = tuple(value if c is column else old for c, old in zip(table.columns, row, strict=True))
        if value is None:
            yield written(table, None, target, new_key=column.name)
        else:
            beyond[name] = value + increment
            yield written(table, None, target)


def _no_children(side: SourceSide, rows: tuple[Named, ...]) -> None:
    moved = set(rows)
    for child in side.children:
        key = child.foreign_key
        if (key.parent, child.parent) in moved:
            raise Refused(
                f"Rows of {key.child} on the replica reference a displaced row of {key.parent} by {key.name}, and the source does "
                "not have them: they would not follow it to its new key."
            )


def _new_value_for(table: Table, taken: dict[str, RowImage]) -> Column:
    """The AUTO_INCREMENT column, when a new value of it makes every key free that is taken."""
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


def _risks(side: SourceSide, steps: tuple[Step, ...]) -> tuple[str, ...]:
    risks = shortened(tuple(_new_name(side.tables[step.table], step) for step in steps), "row")
    if any(step.new_key for step in steps):
        risks += (
            "Each rehearsal on the source takes AUTO_INCREMENT values there and rolls back: those numbers are never used.",
        )
    return (
        *risks,
        "What names a row by its old key without a foreign key (another table, another system, people) goes on naming the "
        "source's row.",
    )


def _new_name(table: Table, step: Step) -> str:
    assert step.target is not None
    if step.new_key:
        return f"A displaced row of {table.name} gets the source's next value of {step.new_key}."
    return f"A displaced row of {table.name} is written with the key {by_identity(table, step.target)}, which is free."
