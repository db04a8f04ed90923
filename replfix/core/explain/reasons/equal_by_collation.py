"""The two values are different texts, and the column's collation takes them for the same."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.explain.reasons.postgresql import postgresql_rows
from replfix.core.remedies.remedy import Fix
from replfix.core.schema.table import Column

CODE = "equal-by-collation"


def examine(case: Case) -> Cause | None:
    if case.postgresql is not None:
        return postgresql_rows.equal_by_collation(case, CODE)
    place = case.place
    reading = place.found if place else None
    if place is None or reading is None:
        return None
    evidence: list[str] = []
    columns: list[Column] = []
    for part, match in zip(place.key.parts, reading.matches, strict=True):
        if part.column is None or not isinstance(match.value, str) or match.printed or match.unprinted:
            continue
        column = place.table.column(part.column)
        value = reading.rows[0][column.ordinal]
        if column.collation is None or not isinstance(value, str):
            continue
        held = value if match.part.prefix is None else value[: match.part.prefix]
        if held == match.value or column.data_type in ("enum", "set"):
            continue
        columns.append(column)
        evidence.append(
            f"{column.name}: the row has {_spelt(held)}, the message has {_spelt(match.value)}, and {column.collation} treats them as equal{_why(held, match.value)}."
        )
    if not columns:
        return None
    table = place.table.name
    return Cause(
        CODE,
        Confidence.HIGH,
        "The values are different texts that the column's collation treats as equal.",
        tuple(evidence),
        (
            Fix("If they should count as the same: look the row up before inserting, or normalise what is stored."),
            Fix(
                "If they should count as different, change the collation. It copies the table, and joins on the column compare differently from then on; MODIFY drops the attributes that it does not name.",
                (sql.show_create_table(table), *(sql.compare_bytes(table, column) for column in columns)),
            ),
        ),
    )


def _spelt(text: str) -> str:
    return f"'{text}'"


def _why(held: str, said: str) -> str:
    if held.rstrip(" ") == said.rstrip(" "):
        return ": they differ in trailing spaces only"
    if held.casefold() == said.casefold():
        return ": they differ in case only"
    return ""
