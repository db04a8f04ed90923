"""A foreign key of the replica is not satisfied."""

from __future__ import annotations

from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies import drift
from replfix.core.remedies.no_applier import by_hand
from replfix.core.remedies.remedy import Remedy
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
        "The replica lacks the parent of a row that is written (1452), or still has children of a row that is "
        "deleted or changed (1451)."
    ),
    replfix=(
        "Puts missing parents back as the source had them at that time, their own parents too; deletes children that only the replica has, and saves them first."
    ),
    human="Find out who deleted the parent or wrote the child on the replica, and compare both tables.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return what helps for a statement, and for tables that filters leave out; rows are for a strategy."""
    if evidence.transaction is not None:
        return (*_of_tables_left_out(evidence), *by_hand(evidence))
    known = drift.references_only_here(evidence) or _without_a_parent(evidence) or (Remedy(FAMILY.human),)
    return (*drift.the_statement(evidence), *known)


def _of_tables_left_out(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return the foreign keys between a table of the transaction and a filtered one: no repair of rows lasts there."""
    transaction, filters = evidence.transaction, evidence.channel.filters
    changed = {change.table for change in transaction.changes} if transaction is not None else set()
    tables = [table for name, table in evidence.tables.items() if name in changed]
    if evidence.error.errno in (1216, 1452):
        keys = [(key, key.parent) for table in tables for key in table.foreign_keys]
    else:
        keys = [
            (key, key.child)
            for table in tables
            for key in table.referenced_by
            if {key.on_delete, key.on_update} & {"RESTRICT", "NO ACTION"}
        ]
    found = [(key, other) for key, other in keys if not filters.origins(other)]
    if not found:
        return ()
    named = ", ".join(f"{key.name} of {key.child}" for key, _ in found)
    others = ", ".join(dict.fromkeys(str(other) for _, other in found))
    return (
        drift.without_foreign_keys(
            evidence,
            [key for key, _ in found],
            f"The channel's filters ({filters.in_words}) leave out {others}: what the source does to those rows never comes here, and a foreign "
            f"key between them and replicated rows stops the channel again and again. This shows the tables and drops {named} on the "
            "replica; no row is changed. Or replicate these tables too: copy them from the source and change the filters.",
        ),
    )


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
