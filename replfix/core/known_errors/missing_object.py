"""A schema or table is not on the replica."""

from __future__ import annotations

from replfix.core import drift
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import Remedy

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
        "Shows how the source has it and the CREATE that puts it on the replica; says when a DROP has nothing "
        "left to do."
    ),
    human=(
        "Find out where the rows went before an empty table is put in the place of the lost one: a copy of the "
        "table is safer."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    statement = drift.the_statement(evidence)
    dropped = evidence.statement is not None and evidence.statement.drops
    if dropped and evidence.definitions and all(both.replica is None for both in evidence.definitions):
        names = ", ".join(both.name for both in evidence.definitions)
        return (*statement, drift.nothing_left(evidence, f"The replica has no {names} to drop."))
    return (*statement, *(drift.closed(evidence) or (Remedy(FAMILY.human),)))
