"""What stands around a conflict: the logs' history of its rows, both servers' definitions, counters, programs, settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from replfix.core.history import NOT_READ, History
from replfix.core.table import Table, TableName


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Empty where it was not looked at, or could not be: then nothing follows from it."""

    replica_log: History = NOT_READ
    source_log: History = NOT_READ  # of what the replica counts as applied
    source_tables: Mapping[TableName, Table] = field(default_factory=dict)
    settings: Mapping[str, str | None] = field(default_factory=dict)  # of the replica
    run: int = 0  # so many transactions, the failing one first, leave the replica as it stands now
    logs_all: bool = False  # the replica logs what it applies, of every schema


NOTHING_KNOWN = Surroundings()
