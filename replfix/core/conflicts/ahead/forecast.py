"""What waits in a channel's backlog: every conflict ahead, in order, and what was not looked at."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from replfix.core.conflicts.reconcile import Conflict
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.schema.table import Table, TableName


class Effect(enum.StrEnum):
    """What the applier does when it comes to a conflict."""

    STOPS = "stops"
    OVERWRITES = "overwrites"  # the row is found by its key, and gets the values of the source
    DELETES_SILENTLY = "deletes_silently"  # the row is found by its key, and goes, whatever it has


@dataclass(frozen=True, slots=True)
class Ahead:
    """One conflict of a transaction in the backlog with rows of the replica.

    ``proven``: the replica's applier has met it in a rehearsal; False: it went past it; None: it was not asked.
    """

    transaction: TransactionId
    committed_at: datetime  # UTC
    effect: Effect
    errno: int | None  # the error with which the applier stops; None where it does not stop
    conflict: Conflict  # ``change`` counts the rows of its own transaction, from 0
    proven: bool | None = None
    number: int | None = None  # of its transaction among those of the backlog, from 1; None where they were not counted


@dataclass(frozen=True, slots=True)
class Unscanned:
    """A part of the backlog in which conflicts were not looked for."""

    what: str  # a table, or transactions, in words
    why: str
    table: TableName | None = None
    since: TransactionId | None = None  # from this transaction on; None: all of the backlog


@dataclass(frozen=True, slots=True)
class Scanned:
    """How much of the backlog was looked at."""

    transactions: int
    events: int
    rows: int
    seconds: float
    unscanned: tuple[Unscanned, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether conflicts were looked for everywhere: only then does "none found" mean that there are none."""
        return not self.unscanned


@dataclass(frozen=True, slots=True)
class Author:
    """The transaction in the replica's binlog that wrote, or deleted, rows which are in the way."""

    gtid: str | None
    committed_at: datetime  # UTC
    thread_id: int | None
    statement: str | None  # where binlog_rows_query_log_events has it
    own: bool = True  # it was written on the replica itself; else it came from another server


@dataclass(frozen=True, slots=True)
class Group:
    """Conflicts whose rows were written by one transaction of the replica. ``author`` None: it is not known."""

    author: Author | None
    conflicts: tuple[int, ...]  # places in ``Forecast.conflicts``


@dataclass(frozen=True, slots=True)
class Forecast:
    """Every conflict ahead, in the order in which the applier meets them."""

    channel: str
    scanned: Scanned
    tables: Mapping[TableName, Table]  # the replica's definitions of the tables with conflicts
    conflicts: tuple[Ahead, ...]
    groups: tuple[Group, ...] = ()

    @property
    def stops(self) -> tuple[Ahead, ...]:
        """Those which stop the applier."""
        return tuple(ahead for ahead in self.conflicts if ahead.effect is Effect.STOPS)
