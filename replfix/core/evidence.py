"""Everything that was gathered about one incident, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from replfix.core.applier_error import ApplierError
from replfix.core.gtid import GtidSet
from replfix.core.reconcile import Reconciliation
from replfix.core.row_event import Transaction
from replfix.core.status import ChannelStatus, ReplicaStatus
from replfix.core.surroundings import NOTHING_KNOWN, Surroundings
from replfix.core.table import Table, TableName
from replfix.core.values import RowImage


@dataclass(frozen=True, slots=True)
class AutoIncrement:
    """auto_increment_increment and auto_increment_offset of one server (global values)."""

    increment: int
    offset: int


@dataclass(frozen=True, slots=True)
class Evidence:
    status: ReplicaStatus
    channel: ChannelStatus
    error: ApplierError
    source_uuid: str
    transaction: Transaction | None  # None: could not be read; ``unknowns`` says why
    tables: Mapping[TableName, Table]  # the replica's definitions of the transaction's tables
    reconciliation: Reconciliation | None
    applied: tuple[bool, ...]  # for each row that the transaction leaves: does the replica hold it like that already
    source_rows: tuple[RowImage | None, ...]  # for each conflict: the source's row now
    errant: GtidSet  # the replica's transactions that the source does not have
    local_writes: tuple[Transaction, ...]  # those of them that could be read from the replica's own binlog
    replica_auto_increment: AutoIncrement
    source_auto_increment: AutoIncrement | None
    blind_spots: tuple[str, ...]  # privileges without which the replica hides triggers and foreign keys
    unknowns: tuple[str, ...]
    below: tuple[str, ...] = ()  # the replicas of this replica
    around: Surroundings = NOTHING_KNOWN

    @property
    def stopped_on(self) -> tuple[str, str] | None:
        """Schema and table that the error names. Both names may hold dots: the transaction's tables tell where to cut."""
        shown = self.error.table
        if shown is None:
            return None
        names = [change.table for change in self.transaction.changes] if self.transaction else []
        for name in dict.fromkeys((*names, *self.tables)):
            if str(name) == shown:
                return name.schema, name.name
        schema, _, table = shown.partition(".")
        return schema, table
