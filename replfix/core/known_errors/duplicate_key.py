"""A unique key that the transaction needs is taken on the replica."""

from __future__ import annotations

from replfix.core.known_error import Family, Kind, Thread

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
