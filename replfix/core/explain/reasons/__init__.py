"""Why a duplicate-key error occurs: one reason a file.

A new one is listed here: of two with the same confidence the first is named first.
"""

from __future__ import annotations

from typing import Protocol

from replfix.core.diagnosis.cause import Cause
from replfix.core.explain.explanation import Case
from replfix.core.explain.reasons import (
    adding_unique_key,
    applier,
    cascade_collides,
    composite_key,
    concurrent_create,
    counter_behind,
    counter_exhausted,
    deferred_constraint,
    equal_by_collation,
    exclusion_overlap,
    expression_key,
    ids_from_two_sides,
    internal_table,
    invalid_index,
    loaded_again,
    no_row_now,
    no_value_given,
    nulls_not_distinct,
    other_table_written,
    prefix_key,
    repeated_in_statement,
    replica_bookkeeping,
    replica_error,
    resequencing,
    same_insert_again,
    sequence_behind,
    subscription_conflict,
    update_shift,
    upsert_second_key,
    value_taken,
)


class ReasonRule(Protocol):
    """What the module of a reason has to have."""

    CODE: str

    def examine(self, case: Case, /) -> Cause | None:
        """Return the reason, as far as the case supports it."""
        ...


REASONS: tuple[ReasonRule, ...] = (
    replica_bookkeeping,
    replica_error,
    applier,
    subscription_conflict,
    exclusion_overlap,
    concurrent_create,
    internal_table,
    resequencing,
    cascade_collides,
    adding_unique_key,
    update_shift,
    upsert_second_key,
    other_table_written,
    repeated_in_statement,
    counter_exhausted,
    counter_behind,
    no_value_given,
    equal_by_collation,
    prefix_key,
    same_insert_again,
    expression_key,
    ids_from_two_sides,
    loaded_again,
    sequence_behind,
    nulls_not_distinct,
    deferred_constraint,
    invalid_index,
    no_row_now,
    value_taken,
    composite_key,
)
