"""The statement itself brings the value twice."""

from __future__ import annotations

from collections import Counter as Count

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import insert
from replfix.core.explain.explanation import Case
from replfix.core.explain.insert import Item
from replfix.core.remedies.remedy import Fix
from replfix.core.schema.table import Table, UniqueKey

CODE = "repeated-in-statement"


def examine(case: Case) -> Cause | None:
    said = case.insert
    if said is None or len(said.rows) < 2:
        return None
    place = case.place
    if place is not None:
        repeated = len(_of_key(place.table, place.key, case))
        what = f"{', '.join(place.key.columns)} of the key {place.key.name}"
    else:
        repeated = sum(count > 1 and _told(row) for row, count in Count(said.rows).items())
        what = "every column"
    if not repeated:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The statement has the same value twice: its own rows collide with each other.",
        (f"{repeated} of the values in the statement's {len(said.rows)} rows are there more than once, in {what}.",),
        (Fix("Remove the repetitions before inserting: group by the key's columns where the rows come from."),),
    )


def _told(row: tuple[Item, ...]) -> bool:
    return any(item.known_text is not None for item in row)


def _of_key(table: Table, key: UniqueKey, case: Case) -> list[tuple[str, ...]]:
    if case.insert is None or any(part.column is None or part.prefix is not None for part in key.parts):
        return []
    values: list[tuple[str, ...]] = []
    columns = [table.column(name) for name in key.columns]
    for row in insert.given(case.insert, tuple(c.name for c in table.columns)):
        items = [row.get(column.name.lower()) for column in columns]
        told = [item.known_text for item in items if item is not None]
        if len(told) == len(columns) and None not in told:
            values.append(
                tuple(
                    str(t).casefold() if (c.collation or "").endswith("_ci") else str(t)
                    for t, c in zip(told, columns, strict=True)
                )
            )
    return [value for value, count in Count(values).items() if count > 1]
