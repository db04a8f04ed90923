"""One cause a file: what evidence it needs, what it concludes. A new one is listed here."""

from __future__ import annotations

from typing import Protocol

from replfix.core.diagnosis.cause import Cause
from replfix.core.diagnosis.causes import (
    applied_twice,
    auto_increment_behind,
    cascade,
    changed_twice,
    collation_differs,
    copy_without_gtids,
    deleted_twice,
    duplicate_on_source,
    event_scheduler,
    extra_unique_key,
    filtered,
    local_write,
    missing_row,
    other_channel,
    out_of_order,
    own_keys,
    repaired_before,
    replaced_parent,
    replica_trigger,
    restored_copy,
    row_differs,
    schema_drift,
    skipped_transaction,
    statement_event,
    two_rows,
    two_writers,
    unknown_author,
    unlogged_on_source,
    unlogged_write,
)
from replfix.core.incident.evidence import Evidence


class CauseRule(Protocol):
    """What the module of a cause has to have."""

    CODE: str

    def examine(self, evidence: Evidence, /) -> Cause | None:
        """Return the cause, as far as the evidence supports it."""
        ...


CAUSES: tuple[CauseRule, ...] = (
    own_keys,
    copy_without_gtids,
    duplicate_on_source,
    deleted_twice,
    out_of_order,
    replaced_parent,
    changed_twice,
    applied_twice,
    collation_differs,
    extra_unique_key,
    auto_increment_behind,
    unlogged_on_source,
    other_channel,
    skipped_transaction,
    filtered,
    restored_copy,
    cascade,
    two_writers,
    event_scheduler,
    replica_trigger,
    repaired_before,
    missing_row,
    schema_drift,
    local_write,
    unlogged_write,
    unknown_author,
    two_rows,
    row_differs,
    statement_event,
)
"""Of two causes with the same confidence, the one that is listed first explains more, and is named first."""

DESCRIPTIONS: tuple[CauseRule, ...] = (missing_row, unknown_author, two_rows, row_differs)
"""These say how the rows differ, not why: they follow every cause that does, unless its confidence is low."""

OF_EVERY_ERROR: tuple[CauseRule, ...] = (copy_without_gtids, schema_drift)
"""These are asked about every error, not only about those that rows explain."""
