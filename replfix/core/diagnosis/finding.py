"""What was found where something was looked at: by ``advise`` in a topology, by ``doctor`` on a replica and its source."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from replfix.core.remedies.remedy import Fix
from replfix.core.schema.table import TableName


class Severity(enum.StrEnum):
    """How grave a finding is."""

    CRITICAL = "critical"  # something does not work: two writers can generate the same key, replfix cannot do its work
    WARNING = "warning"  # something works now, or in part: until a restart, a fail-over, a while
    INFO = "info"  # nothing needs doing

    @property
    def order(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact that was read, and what to do about it: ``fixes``, in that order.

    It is no conclusion (a ``Cause`` is), so it has no confidence.
    """

    code: str  # stable for scripts
    severity: Severity
    message: str
    node: str | None = None  # Node.name; None: it is about several, or the only one that is looked at
    table: TableName | None = None
    evidence: tuple[str, ...] = ()  # each sentence is a fact that was read
    fixes: tuple[Fix, ...] = ()
