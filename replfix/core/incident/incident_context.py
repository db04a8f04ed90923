"""The context of a conflict: the logs' history of its rows, both servers' definitions, counters, programs, settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from replfix.core.conflicts.row_history import NOT_READ, History
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.auto_increment import Counter
from replfix.core.schema.table import Column, Table, TableName
from replfix.core.sql.table_facts import FactRows, TableFact


@dataclass(frozen=True, slots=True)
class Program:
    """A trigger (``on`` its table) or an event of the event scheduler."""

    kind: str  # trigger | event
    schema: str
    name: str
    body: str
    on: TableName | None = None
    enabled: bool = True
    last_run: datetime | None = None

    def __str__(self) -> str:
        return f"{self.kind} {self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Side:
    """What one of the two servers has to do with the tables in conflict."""

    tables: Mapping[TableName, Table] = field(default_factory=dict)
    counters: Mapping[TableName, Counter] = field(default_factory=dict)
    programs: Mapping[TableName, tuple[Program, ...]] = field(default_factory=dict)  # that name the table
    facts: Mapping[tuple[str, TableName], FactRows] = field(default_factory=dict)  # core/sql/table_facts.py, by name

    def fact(self, fact: TableFact, name: TableName) -> str | None:
        """Return the first value of the first row; None where there is none, or it was not asked."""
        rows = self.facts.get((fact.name, name), ())
        return rows[0][0] if rows else None


@dataclass(frozen=True, slots=True)
class IncidentContext:
    """Empty where it was not looked at, or could not be: then nothing follows from it."""

    replica_log: History = NOT_READ
    source_log: History = NOT_READ  # of what the replica counts as applied
    replica: Side = field(default_factory=Side)
    source: Side = field(default_factory=Side)
    parents: Mapping[TableName, Table] = field(default_factory=dict)  # tables that those in conflict refer to
    twins: tuple[tuple[RowImage, ...], ...] = ()  # for each conflict: the source's rows with the replica row's key
    also_there: tuple[RowImage | None, ...] = ()  # for each conflict: the source's row with the name of the replica's
    authors: Mapping[int, str] = field(default_factory=dict)  # user@host by connection, of those that are still open
    settings: Mapping[str, str | None] = field(default_factory=dict)  # of the replica
    run: int = 0  # so many transactions, the failing one first, leave the replica as it is now
    logs_all: bool = False  # the replica logs what it applies, of every schema
    otherwise: Mapping[TableName, Column | None] = field(
        default_factory=dict
    )  # a generated column that the replica gives another value than the failing transaction has


NOTHING_KNOWN = IncidentContext()
