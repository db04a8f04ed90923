"""Values of a transaction that a column of the replica cannot store, or stores changed.

The applier reports nothing: it goes by the numbers of labels, cuts off what is out of range, and stores NULL as 0 where
the column is NOT NULL (MySQL 9.7.4).
"""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.rows.row_values import NOT_LOGGED, Value
from replfix.core.schema.table import Column, TableName

_BITS = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}


def other_values(evidence: Evidence, name: TableName) -> str:
    """In words, the first such value of the failing transaction; empty where there is none, or it is not known."""
    ours, theirs = evidence.tables.get(name), evidence.around.source.tables.get(name)
    if ours is None or theirs is None or evidence.transaction is None:
        return ""
    for column in ours.columns:
        other = theirs.by_name.get(column.name.lower())
        if other is None or column.own or column.generated or not _can_differ(column, other):
            continue
        for change in evidence.transaction.changes:
            if change.table != name:
                continue
            for image in (change.before, change.after):
                value = image[column.ordinal] if image is not None else NOT_LOGGED
                if value is not NOT_LOGGED and (why := _kept_as(column, other, value)):
                    return f"{name}.{column.name} {why}"
    return ""


def _can_differ(ours: Column, theirs: Column) -> bool:
    """Return whether ``_kept_as`` can have something to say at all: a transaction can have 100,000 rows to look through."""
    return (
        (theirs.nullable and not ours.nullable)
        or ours.labels != theirs.labels
        or (ours.data_type in _BITS and ours.unsigned != theirs.unsigned)
    )


def _kept_as(ours: Column, theirs: Column, value: Value) -> str:
    if value is None:
        return (
            "is NOT NULL on the replica, and NULL in the transaction." if not ours.nullable and theirs.nullable else ""
        )
    if ours.data_type == theirs.data_type in ("enum", "set") and isinstance(value, str):
        moved = [label for label in _labels(ours, value) if _number(ours, label) != _number(theirs, label)]
        if moved:
            kept = _label(ours, _number(theirs, moved[0]))
            return (
                f"has other labels on the replica ({ours.column_type}) than on the source ({theirs.column_type}), and row events carry their "
                f"numbers: '{moved[0]}' would be stored as {kept}."
            )
    if ours.data_type in _BITS and isinstance(value, int) and ours.unsigned != theirs.unsigned:
        bits = _BITS[ours.data_type]
        low, high = (0, 2**bits - 1) if ours.unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        if not low <= value <= high:
            return (
                f"is {ours.column_type} on the replica and {theirs.column_type} on the source: it cannot store {value}."
            )
    return ""


def _labels(column: Column, value: str) -> list[str]:
    if column.data_type == "enum":
        return [value] if value else []
    return value.split(",") if value else []


def _number(column: Column, label: str) -> int | None:
    return column.labels.index(label) if label in column.labels else None


def _label(column: Column, number: int | None) -> str:
    return f"'{column.labels[number]}'" if number is not None and number < len(column.labels) else "none of them"
