"""The key is just being made, over rows that are not unique."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.diagnosis.diagnosis import Confidence
from replfix.core.explain.explanation import Case, Fix, Reason
from replfix.core.schema.table import TableName

CODE = "adding-unique-key"

_NAME = r"(?:`(?:[^`]|``){1,64}`|[\w$]{1,64})"
_ALTER = re.compile(rf"\s*ALTER\s+TABLE\s+((?:{_NAME}\s*\.\s*)?{_NAME})\s", re.IGNORECASE)
_CREATE = re.compile(
    rf"\s*CREATE\s+UNIQUE\s+INDEX\s+{_NAME}\s+(?:USING\s+\w+\s+)?ON\s+((?:{_NAME}\s*\.\s*)?{_NAME})\s*", re.IGNORECASE
)
_ADDED = re.compile(
    rf"ADD\s+(?:CONSTRAINT\s+(?:{_NAME}\s+)?)?(?:UNIQUE(?:\s+(?:INDEX|KEY))?|PRIMARY\s+KEY)\s*(?:{_NAME}\s*)?\(",
    re.IGNORECASE,
)
_COLUMN = re.compile(rf"\s*({_NAME})\s*(?:\(\d+\))?\s*(?:ASC|DESC)?\s*([,)])", re.IGNORECASE)


def examine(case: Case) -> Reason | None:
    statement = case.duplicate.statement
    if statement is None:
        return None
    altered, created = _ALTER.match(statement), _CREATE.match(statement)
    listed = _ADDED.search(statement, altered.end() - 1) if altered else None
    opened = listed.end() if listed else statement.find("(", created.end()) + 1 if created else 0
    named = altered or created
    if named is None or not opened:
        return None
    columns = _columns(statement, opened)
    names = [_unquoted(name) for name in re.findall(_NAME, named[1])]
    table = TableName(names[0], names[1]) if len(names) == 2 else TableName(case.duplicate.schema or "", names[0])
    fixes = (Fix("Find the conflicting rows:", (sql.repeated_values(table, columns),)),) if columns else ()
    return Reason(
        CODE,
        Confidence.HIGH,
        "The statement creates a unique key, and existing rows have the same value in it.",
        ("The statement is no INSERT: it adds the key.",),
        (
            *fixes,
            Fix(
                "Decide for each of them which row stays, then add the key. Until that succeeds, the key does not exist."
            ),
        ),
    )


def _columns(statement: str, at: int) -> list[str]:
    found: list[str] = []
    while (column := _COLUMN.match(statement, at)) is not None:
        found.append(_unquoted(column[1]))
        if column[2] == ")":
            return found
        at = column.end()
    return []


def _unquoted(name: str) -> str:
    return name[1:-1].replace("``", "`") if name.startswith("`") else name
