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
class Fix:
    """Statements for one session on one server, without semicolons, which can be run as printed.

    Without ``sql`` the ``remark`` is what to do.
    """

    node: str = ""  # Node.name; empty only without statements
    sql: tuple[str, ...] = ()
    remark: str = ""  # when, or what to do

    def __post_init__(self) -> None:
        if bool(self.sql) != bool(self.node):
            raise ValueError(f"Statements name the server on which they are run: {self}")

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything in lines; one that begins with ``--`` is a comment: where or when."""
        remark = (f"-- {self.remark}",) if self.remark else ()
        return (*remark, *((f"-- on {self.node}:",) if self.node else ()), *self.sql)


@dataclass(frozen=True, slots=True)
class Finding:
    """One fact about a topology that can lead to duplicate keys, and what to do: ``fixes``, in that order."""

    code: str
    severity: Severity
    message: str
    node: str | None = None  # Node.name; None: it is about several
    table: TableName | None = None
    evidence: tuple[str, ...] = ()  # each sentence is a fact that was read
    fixes: tuple[Fix, ...] = ()

    @property
    def fix_sql(self) -> tuple[str, ...]:
        """The fixes as lines: statements without a semicolon, and comments."""
        return tuple(line for fix in self.fixes for line in fix.lines)
