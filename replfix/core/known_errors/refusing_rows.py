"""Rows of the replica do not fit the definition that a statement gives their table."""

from __future__ import annotations

import re

from replfix.core import drift, sql
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import LeadsTo, Remedy
from replfix.core.statement import NAME, unquoted

FAMILY = Family(
    page="refusing-rows",
    kind=Kind.DATA_REFUSED,
    thread=Thread.APPLIER,
    errors={
        1138: "ER_INVALID_USE_OF_NULL",
        1263: "ER_WARN_NULL_TO_NOTNULL",
    },
    means="The statement makes a column NOT NULL, and rows of the replica hold NULL there: the replica's rows are not the source's.",
    replfix="Shows the statement that finds these rows on the replica.",
    human="Give each of these rows the source's value (look it up there by its key), not logged, and start the channel.",
)

_NOT_NULL = re.compile(
    rf"\b(?:MODIFY|CHANGE)\s+(?:COLUMN\s+)?(?P<name>{NAME})\s(?P<rest>(?:[^,()']|\([^)]*\)|'(?:[^']|'')*')*?\bNOT\s+NULL\b)",
    re.IGNORECASE,
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    statement = evidence.statement
    columns = tuple(unquoted(found["name"]) for found in _NOT_NULL.finditer(statement.text)) if statement else ()
    if statement is None or not columns or len(statement.tables) != 1:
        return (*drift.the_statement(evidence), Remedy(FAMILY.human))
    return (
        *drift.the_statement(evidence),
        Remedy(
            f"Rows of the replica hold NULL in {', '.join(columns)}, which the source's do not. This lists them. {FAMILY.human}",
            (sql.rows_with_null(statement.tables[0], columns),),
            LeadsTo.NOTHING_CHANGED,
        ),
    )
