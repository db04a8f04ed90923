"""Rows of the replica do not fit the definition that a statement gives their table."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift, refusing_nulls
from replfix.core.remedies.remedy import Remedy

FAMILY = Family(
    page="refusing-rows",
    kind=Kind.DATA_REFUSED,
    thread=Thread.APPLIER,
    errors={
        1138: "ER_INVALID_USE_OF_NULL",
        1263: "ER_WARN_NULL_TO_NOTNULL",
    },
    means="The statement makes a column NOT NULL, and rows of the replica have NULL there: the replica's rows are not the source's.",
    replfix="Finds these rows, looks them up on the source by key, and prints what gives them the source's values.",
    human="Give each of these rows the source's value, not logged, and start the channel.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return (*drift.the_statement(evidence), *(refusing_nulls.advise(evidence) or (Remedy(FAMILY.human),)))
