"""A foreign key of the replica is not satisfied."""

from __future__ import annotations

from replfix.core import drift
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.no_applier import by_hand
from replfix.core.remedy import Remedy
from replfix.core.words import counted

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
    return (*drift.the_statement(evidence), *(_without_a_parent(evidence) or (Remedy(FAMILY.human),)))


def _without_a_parent(evidence: Evidence) -> tuple[Remedy, ...]:
    found: list[Remedy] = []
    for orphans in evidence.orphans:
        key = orphans.key
        listed = "; ".join(f"({', '.join(values)}) in {counted(rows, 'row')}" for values, rows in orphans.values)
        found.append(
            Remedy(
                f"{key.child} gets a foreign key over ({', '.join(key.columns)}) to {key.parent} ({', '.join(key.parent_columns)}). On the "
                f"replica these values have no row there: {listed}. Where the source has the row of {key.parent}, the replica lost it; "
                f"where it does not have the row of {key.child}, the replica has one too many. Make them the same, then START REPLICA."
            )
        )
    return tuple(found)
