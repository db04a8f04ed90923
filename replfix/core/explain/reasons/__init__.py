"""Why a duplicate-key error occurs: one reason a file.

A new one is listed here: of two with the same confidence the first is named first.
"""

from __future__ import annotations

from typing import Protocol

from replfix.core.explain.explanation import Case, Reason
from replfix.core.explain.reasons import (
    adding_unique_key,
    applier,
    composite_key,
    counter_behind,
    counter_exhausted,
    equal_by_collation,
    expression_key,
    ids_from_two_sides,
    no_row_now,
    prefix_key,
    repeated_in_statement,
    same_insert_again,
    sequence_behind,
    value_taken,
)


class ReasonRule(Protocol):
    """What the module of a reason has to have."""

    CODE: str

    def examine(self, case: Case, /) -> Reason | None:
        """Return the reason, as far as the case supports it."""
        ...


REASONS: tuple[ReasonRule, ...] = (
    applier,
    adding_unique_key,
    repeated_in_statement,
    counter_exhausted,
    counter_behind,
    equal_by_collation,
    prefix_key,
    same_insert_again,
    expression_key,
    ids_from_two_sides,
    sequence_behind,
    no_row_now,
    value_taken,
    composite_key,
)
