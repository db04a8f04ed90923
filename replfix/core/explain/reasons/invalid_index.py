"""PostgreSQL: the index is left over from a CREATE UNIQUE INDEX CONCURRENTLY that failed, and rejects rows all the same."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "invalid-index"


def examine(case: Case) -> Cause | None:
    place = case.postgresql_place
    if place is None or place.key.valid or place.key.partitioned:
        return None
    index = sql.postgresql_qualified(place.key.schema, place.key.name)
    return Cause(
        CODE,
        Confidence.MEDIUM,
        "The index is invalid: a CREATE INDEX CONCURRENTLY failed or is still running. It speeds up no query, and rejects duplicates.",
        (f"indisvalid of {place.key.name} is false.",),
        (
            Fix(
                "If no session is building it (pg_stat_progress_create_index) and the key is wanted: remove the repeated rows, "
                "then build it again.",
                (f"REINDEX INDEX CONCURRENTLY {index}",),
            ),
            Fix("If it is not wanted:", (f"DROP INDEX CONCURRENTLY {index}",)),
        ),
    )
