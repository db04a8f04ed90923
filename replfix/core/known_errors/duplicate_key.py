"""A unique key that the transaction needs is taken on the replica."""

from __future__ import annotations

from replfix.core import drift, sql
from replfix.core.applied_together import keys_taken_over, stopped_by
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import LeadsTo, Remedy
from replfix.core.table import Table, UniqueKey
from replfix.core.transaction_id import TransactionId

FAMILY = Family(
    page="duplicate-key",
    kind=Kind.ROW_CONFLICT,
    thread=Thread.APPLIER,
    errors={
        1062: "ER_DUP_ENTRY",
        1586: "ER_DUP_ENTRY_WITH_KEY_NAME",
    },
    means="The replica holds a row with a value of a unique key that the transaction writes too.",
    replfix=(
        "Compares every row of the transaction with the replica on all unique keys, saves the rows that are in "
        "the way and brings them to what the transaction expects. Of a statement it shows the statement and, "
        "where it adds a unique key, the duplicates; it repairs none."
    ),
    human="Read who wrote the row, keep what is worth keeping, and stop whoever writes on the replica.",
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Rows are a strategy's business; a statement is not, and neither is what the server does with the rows' order."""
    if evidence.transaction is not None and (table := stopped_by(evidence)) is not None:
        keys = keys_taken_over(evidence, table)
        return _without_the_index(evidence, table, keys, evidence.transaction.id)
    if evidence.transaction is not None or evidence.unreachable is not None:
        return ()
    return (*drift.the_statement(evidence), *(_held_twice(evidence) or (Remedy(FAMILY.human),)))


def _held_twice(evidence: Evidence) -> tuple[Remedy, ...]:
    found: list[Remedy] = []
    for held in evidence.duplicates:
        listed = "; ".join(f"({', '.join(values)}) in {rows} rows" for values, rows in held.values)
        found.append(
            Remedy(
                f"{held.table} gets the unique key {held.key} over ({', '.join(held.columns)}). On the replica several rows "
                f"hold the same values: {listed}. Compare those rows with the source's, and make the replica's the same; "
                "then START REPLICA. replfix does not choose between them."
            )
        )
    return tuple(found)


def _without_the_index(
    evidence: Evidence, table: Table, keys: tuple[UniqueKey, ...], until: TransactionId
) -> tuple[Remedy, ...]:
    name, channel = table.name, evidence.channel.name
    drop, add = [sql.drop_index(name, key.name) for key in keys], [sql.add_unique_index(name, key) for key in keys]
    return (
        Remedy(f"Note how the index of {name} is defined:", (sql.show_create_table(name),), LeadsTo.NEXT_STEP),
        Remedy(
            "Without it the rows can be changed in any order. Nobody else may write there meanwhile; the applier stops behind the "
            "transaction:",
            drift.by_hand(evidence, *drop, start=sql.start_replica(channel, receiver=False, until=until)),
            LeadsTo.NEXT_STEP,
        ),
        Remedy(
            "Then put it back as it was (with DESC and prefixes, if it has some), and let the replica go on:",
            drift.by_hand(evidence, *add),
            LeadsTo.NEXT_TRANSACTION,
        ),
        Remedy("A primary key on both servers keeps it from happening again."),
    )
