"""A schema or table is on the replica already."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import Remedy
from replfix.core.remedies.statement_remedies import remedies

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
        "Says whether the replica's table has rows, and shows what makes room for the statement; rows are "
        "kept under another name."
    ),
    human=(
        "Make room for the statement, so that it runs itself: a CREATE TABLE … SELECT has rows after it, "
        "which must not be left out."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return remedies(evidence) or (Remedy(FAMILY.human),)
