"""A unique key that the transaction needs is taken on the replica."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.held_twice import held_twice
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.known_errors.rows_in_the_way import blocking_row
from replfix.core.remedies import drift, no_applier
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="duplicate-key",
    kind=Kind.ROW_CONFLICT,
    thread=Thread.APPLIER,
    errors={
        1062: "ER_DUP_ENTRY",
        1586: "ER_DUP_ENTRY_WITH_KEY_NAME",
    },
    means="The replica has a row with a value of a unique key that the transaction writes too.",
    replfix=(
        "Compares every row of the transaction with the replica on all unique keys, saves the conflicting rows and sets them to what the transaction expects. Of a statement it shows the statement and, "
        "where it adds a unique key, the duplicates; it repairs none."
    ),
    human="Read who wrote the row, keep what is worth keeping, and stop whoever writes on the replica.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return what helps for a statement, and for values that the source has twice; rows are for a strategy."""
    if evidence.transaction is not None or evidence.unreachable is not None:
        return (
            *_twice_on_source(evidence),
            *blocking_row(evidence),
            *no_applier.by_hand(evidence),
            *drift.columns_behind_rows(evidence),
        )
    known = _held_twice(evidence) or blocking_row(evidence) or (Remedy(FAMILY.human),)
    return (*drift.the_statement(evidence), *known)


def _twice_on_source(evidence: Evidence) -> Iterator[Remedy]:
    """Yield what makes the key of the replica accept both rows, as the source has them."""
    told = set()
    for twice in held_twice(evidence):
        table, key = twice.table, twice.key
        if (table.name, key.name) in told:
            continue
        told.add((table.name, key.name))
        if key.is_primary or not key.of_columns or any(part.prefix for part in key.parts):
            yield Remedy(
                f"The source has {twice.value} twice in {key.name} of {table.name}. Correct that on the source; then rebuild this replica from it, or skip the transaction."
            )
            continue
        yield Remedy(
            f"The source has {twice.value} twice in the unique key {key.name} of {table.name}: {twice.incoming} and {twice.replica}. Make the key on the replica not unique; then it accepts both rows as the source has them:",
            by_hand(evidence, sql.not_unique(table.name, key.name, key.columns)),
            LeadsTo.NEXT_TRANSACTION,
        )
        yield Remedy(
            "Then delete or change one of the two rows on the source, which is logged, and make the key unique again on the replica once "
            "that has arrived. On the source, ALTER TABLE … FORCE fails while a value is there twice: it finds others."
        )


def _held_twice(evidence: Evidence) -> tuple[Remedy, ...]:
    found: list[Remedy] = []
    for held in evidence.duplicates:
        listed = "; ".join(f"({', '.join(values)}) in {rows} rows" for values, rows in held.values)
        found.append(
            Remedy(
                f"{held.table} gets the unique key {held.key} over ({', '.join(held.columns)}). On the replica several rows "
                f"have the same values: {listed}. Compare those rows with the source's, and make the replica's the same; "
                "then START REPLICA. replfix does not choose between them."
            )
        )
    return tuple(found)
