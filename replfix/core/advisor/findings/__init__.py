"""One finding a file. A new one is listed here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from replfix.core.advisor.findings import (
    collations_differ,
    counter_behind,
    explicit_ids,
    head_room,
    increment_too_small,
    keys_differ,
    lost_on_restart,
    needless_offsets,
    no_primary_key,
    numbers_taken,
    offset_above_increment,
    open_key,
    same_numbers,
    sessions_differ,
    stray_write,
    unsafe_statements,
)
from replfix.core.advisor.survey import Survey
from replfix.core.diagnosis.finding import Finding


class FindingRule(Protocol):
    """What the module of a finding has to have."""

    CODE: str
    """Stable: scripts go by it."""

    def examine(self, survey: Survey, /) -> Iterable[Finding]:
        """Yield the findings; none where all is well, or where what it needs is unread, as ``Survey.unknowns`` then says."""
        ...


FINDINGS: tuple[FindingRule, ...] = (
    collations_differ,
    counter_behind,
    explicit_ids,
    head_room,
    increment_too_small,
    keys_differ,
    lost_on_restart,
    needless_offsets,
    no_primary_key,
    numbers_taken,
    offset_above_increment,
    open_key,
    same_numbers,
    sessions_differ,
    stray_write,
    unsafe_statements,
)
