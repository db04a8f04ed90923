"""A foreign key keeps a statement about tables from being carried out."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.remedy import Remedy

FAMILY = Family(
    page="foreign-key-definition",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1215: "ER_CANNOT_ADD_FOREIGN",
        1506: "ER_FOREIGN_KEY_ON_PARTITIONED",
        1553: "ER_DROP_INDEX_FK",
        1701: "ER_TRUNCATE_ILLEGAL_FK",
        1821: "ER_FK_NO_INDEX_CHILD",
        1822: "ER_FK_NO_INDEX_PARENT",
        1823: "ER_FK_FAIL_ADD_SYSTEM",
        1824: "ER_FK_CANNOT_OPEN_PARENT",
        1825: "ER_FK_INCORRECT_OPTION",
        1826: "ER_FK_DUP_NAME",
        1828: "ER_FK_COLUMN_CANNOT_DROP",
        1829: "ER_FK_COLUMN_CANNOT_DROP_CHILD",
        1830: "ER_FK_COLUMN_NOT_NULL",
        1832: "ER_FK_COLUMN_CANNOT_CHANGE",
        1833: "ER_FK_COLUMN_CANNOT_CHANGE_CHILD",
        1834: "ER_FK_CANNOT_DELETE_PARENT",
        3008: "ER_FK_DEPTH_EXCEEDED",
        3730: "ER_FK_CANNOT_DROP_PARENT",
        3733: "ER_FK_CANNOT_USE_VIRTUAL_COLUMN",
        3734: "ER_FK_NO_COLUMN_PARENT",
        3776: "ER_FK_CANNOT_CHANGE_ENGINE",
        3780: "ER_FK_INCOMPATIBLE_COLUMNS",
        6125: "ER_FK_NO_UNIQUE_INDEX_PARENT",
    },
    mariadb={
        1005: "ER_CANT_CREATE_TABLE",
    },
    means=(
        "A foreign key of the replica references the table that the statement drops, truncates or changes, or a foreign key cannot be "
        "made because the parent is not as on the source."
    ),
    replfix="Names the foreign keys that only the replica has and that block the statement, or what differs in the definitions.",
    human="Make the keys of both tables what the statement expects, not logged, and start the channel.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    statement = drift.the_statement(evidence)
    if held := drift.references_only_here(evidence):
        return (*statement, *held)
    if evidence.definitions and all(
        drift.same(both) and not (both.later and both.later.statements) for both in evidence.definitions
    ):
        names = ", ".join(both.name for both in evidence.definitions)
        return (*statement, drift.nothing_left(evidence, f"{names} is on the replica as the source has it now."))
    return (*statement, *drift.shown(evidence, FAMILY.human))
