"""A schema or table is on the replica already."""

from __future__ import annotations

from replfix.core import drift
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import Remedy

FAMILY = Family(
    page="existing-object",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1007: "ER_DB_CREATE_EXISTS",
        1050: "ER_TABLE_EXISTS_ERROR",
    },
    means="The transaction creates a schema or table that the replica has already.",
    replfix=(
        "Compares what is there with what the source has now, and says whether the statement would change anything."
    ),
    human="When nothing differs, skip exactly this statement with an empty transaction; else make room for it.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    statement = drift.the_statement(evidence)
    if evidence.definitions and all(drift.same(both) for both in evidence.definitions):
        names = ", ".join(both.name for both in evidence.definitions)
        rows = " Whether its rows are the same was not looked at."
        return (*statement, drift.nothing_left(evidence, f"{names} is on the replica as the source has it now.{rows}"))
    return (*statement, *(drift.closed(evidence) or (Remedy(FAMILY.human),)))
