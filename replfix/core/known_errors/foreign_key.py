"""A foreign key of the replica is not satisfied."""

from __future__ import annotations

from replfix.core import drift
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.no_applier import by_hand
from replfix.core.remedy import Remedy

FAMILY = Family(
    page="foreign-key",
    kind=Kind.ROW_CONFLICT,
    thread=Thread.APPLIER,
    errors={
        1216: "ER_NO_REFERENCED_ROW",
        1217: "ER_ROW_IS_REFERENCED",
        1451: "ER_ROW_IS_REFERENCED_2",
        1452: "ER_NO_REFERENCED_ROW_2",
    },
    means=(
        "The replica lacks the parent of a row that is written (1452), or still holds children of a row that is "
        "deleted or changed (1451)."
    ),
    replfix=(
        "Puts missing parents back as the source had them at that time, their own parents too; takes out, with "
        "their images saved, children that only the replica has."
    ),
    human="Find out who deleted the parent or wrote the child on the replica, and compare both tables.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Rows are a strategy's business; a statement is not."""
    if evidence.transaction is not None:
        return by_hand(evidence)
    return (*drift.the_statement(evidence), Remedy(FAMILY.human))
