"""A schema or table is on the replica already."""

from __future__ import annotations

from replfix.core.known_error import Family, Kind, Thread

FAMILY = Family(
    page="existing-object",
    kind=Kind.SCHEMA_DRIFT,
    thread=Thread.APPLIER,
    errors={
        1007: "ER_DB_CREATE_EXISTS",
        1050: "ER_TABLE_EXISTS_ERROR",
    },
    means="The transaction creates a schema or table that the replica has already.",
    replfix=(
        "Compares what is there with what the source has now, and says whether the statement would change anything."
    ),
    human="When nothing differs, skip exactly this statement with an empty transaction; else make room for it.",
)
