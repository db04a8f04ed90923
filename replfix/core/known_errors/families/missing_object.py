"""A schema or table is not on the replica."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.remedy import Remedy
from replfix.core.remedies.statement_remedies import remedies

FAMILY = Family(
    page="missing-object",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1008: "ER_DB_DROP_EXISTS",
        1049: "ER_BAD_DB_ERROR",
        1051: "ER_BAD_TABLE_ERROR",
        1146: "ER_NO_SUCH_TABLE",
    },
    means="The transaction uses or drops a schema or table that the replica does not have.",
    replfix=(
        "Names what is missing, under which name the source has it now and which filter leaves it out; shows "
        "how it is copied; reports when a DROP has nothing left to do."
    ),
    human=(
        "Find out where the rows went before an empty table is put in the place of the lost one: a copy of the "
        "table is safer."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    if evidence.statement is not None:
        return remedies(evidence)
    missing = [both for both in evidence.definitions if both.table is not None and both.replica is None]
    found = [remedy for both in missing for remedy in drift.missing_table(evidence, both)]
    return tuple(found) or drift.shown(evidence) or (Remedy(FAMILY.human),)
