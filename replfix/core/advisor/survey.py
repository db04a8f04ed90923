"""A topology as it was read, and the report on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from replfix.core.advisor.node import Node
from replfix.core.diagnosis.finding import Finding, Severity
from replfix.core.schema.table import TableName


@dataclass(frozen=True, slots=True)
class Edge:
    """``replica`` reads from ``source``, both by ``Node.uuid``. The source need not be a node: not all are reached."""

    source: str
    replica: str
    channel: str
    running: bool
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """Numbers that a node's counter will still generate with its present values, and that rows of another node have."""

    table: TableName
    node: str  # Node.uuid of the one with the counter
    other: str  # Node.uuid of the one with the rows
    next_value: int  # of the counter, read after the rows
    rows: int
    lowest: int
    highest: int


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything that was read before anything is concluded. ``unknowns``: what could not be read, and why."""

    read_at: datetime
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    taken: tuple[Taken, ...] = ()
    unknowns: tuple[str, ...] = ()

    def node(self, uuid: str) -> Node:
        """KeyError when it is not among them."""
        for node in self.nodes:
            if node.uuid == uuid:
                return node
        raise KeyError(uuid)


@dataclass(frozen=True, slots=True)
class Report:
    """What was read, and the findings."""

    survey: Survey
    findings: tuple[Finding, ...]  # the worst first

    @property
    def needs_doing(self) -> bool:
        """Whether any finding calls for action."""
        return any(finding.severity is not Severity.INFO for finding in self.findings)
