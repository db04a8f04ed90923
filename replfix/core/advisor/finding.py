"""Something that is wrong with how a topology hands out keys, or will be."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from replfix.core.schema.table import TableName


class Severity(enum.StrEnum):
    """How urgent a finding is."""

    CRITICAL = "critical"  # two writers can hand out the same key, or a table is about to take no more rows
    WARNING = "warning"  # will be critical after a restart, a fail-over or a while
    INFO = "info"  # nothing needs doing

    @property
    def order(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about a topology that can lead to duplicate keys, and what to do.

    ``fix_sql`` has whole statements without a semicolon, for the server ``node`` where that is named, in the order in
    which they are to run; a line that begins with ``--`` is a comment on what follows.
    """

    code: str
    severity: Severity
    message: str
    node: str | None = None  # Node.name; None: it is about several
    table: TableName | None = None
    evidence: tuple[str, ...] = ()  # each sentence is a fact that was read
    fix_sql: tuple[str, ...] = ()
