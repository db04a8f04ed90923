"""A statement meets columns or keys that are not as on the source."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import Remedy
from replfix.core.remedies.statement_remedies import remedies

FAMILY = Family(
    page="table-structure",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1054: "ER_BAD_FIELD_ERROR",
        1060: "ER_DUP_FIELDNAME",
        1061: "ER_DUP_KEYNAME",
        1068: "ER_MULTIPLE_PRI_KEY",
        1072: "ER_KEY_COLUMN_DOES_NOT_EXITS",
        1090: "ER_CANT_REMOVE_ALL_FIELDS",
        1091: "ER_CANT_DROP_FIELD_OR_KEY",
        1136: "ER_WRONG_VALUE_COUNT_ON_ROW",
        1176: "ER_KEY_DOES_NOT_EXITS",
        3821: "ER_CHECK_CONSTRAINT_NOT_FOUND",
        3822: "ER_CHECK_CONSTRAINT_DUP_NAME",
        3939: "ER_MULTIPLE_CONSTRAINTS_WITH_SAME_NAME",
        3940: "ER_CONSTRAINT_NOT_FOUND",
        3959: "ER_DEPENDENT_BY_CHECK_CONSTRAINT",
    },
    means=(
        "A statement adds a column or key that the replica has already, or uses one that it does not have: the "
        "table was changed on one server only."
    ),
    replfix=(
        "Shows the statement in full and says whether the replica's table already is as the statement leaves "
        "it; else what brings the table back to what the statement expects. What only later transactions "
        "change stays as it is."
    ),
    human=("Make the table what the statement expects, or skip exactly this statement when it has nothing left to do."),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    return remedies(evidence) or (Remedy(FAMILY.human),)
