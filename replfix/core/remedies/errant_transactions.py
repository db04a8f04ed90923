"""Transactions that a replica has and none of its sources has: what is in them."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.binlog.row_event import PassedOver, RowChange, Transaction
from replfix.core.remedies.remedy import Remedy
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ReplicaStatus
from replfix.core.schema.table import TableName
from replfix.core.words import counted

SEE_ERRANT = "'replfix errant' shows what they changed, and the options."


@dataclass(frozen=True, slots=True)
class ErrantTransaction:
    """``written`` None: not in the replica's binlog any more, ``unknown`` says so."""

    gtid: str
    origin: str  # who wrote it, in words
    written: Transaction | PassedOver | None
    rows: int = 0  # of the transaction; ``changes`` has the first of them
    unknown: str = ""

    @property
    def changes(self) -> tuple[RowChange, ...]:
        """Its changes of rows, as far as they could be read."""
        return self.written.changes if isinstance(self.written, Transaction) else ()

    @property
    def statement(self) -> str | None:
        """What was logged in place of rows, such as DDL."""
        return self.written.statement if isinstance(self.written, PassedOver) else None

    @property
    def is_known(self) -> bool:
        """Whether all of its rows were read; those of an XA transaction that is only prepared are not there yet."""
        return (
            isinstance(self.written, Transaction)
            and not self.written.prepared
            and len(self.written.changes) == self.rows
        )

    def columns_of(self, table: TableName) -> tuple[str, ...]:
        """Return the names of the table's columns in its events."""
        return self.written.column_names.get(table, ()) if isinstance(self.written, Transaction) else ()


@dataclass(frozen=True, slots=True)
class WayOut:
    """One of the alternatives, with its steps: replfix runs none of them. Each step but the last leads to the next one."""

    name: str
    steps: tuple[Remedy, ...]

    @property
    def first(self) -> Remedy:
        """The first step."""
        return self.steps[0]


@dataclass(frozen=True, slots=True)
class Errant:
    """What only the replica has, with its content. The ways out are of the errant ones alone."""

    only_here: OnlyHere
    transactions: tuple[ErrantTransaction, ...]  # the newest, newest first
    ways: tuple[WayOut, ...]
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.only_here.every)

    @property
    def gtids(self) -> GtidSet:
        """The errant GTIDs."""
        return self.only_here.errant

    def of(self, gtids: GtidSet) -> tuple[ErrantTransaction, ...]:
        """Return those that are in the set."""
        return tuple(one for one in self.transactions if one.gtid in gtids)


def in_words(gtids: GtidSet) -> str:
    """Return ``3 transactions``; for MariaDB, whose sets do not show how many there are, without the number."""
    return counted(len(gtids), "transaction") if gtids.counts else "transactions"


def origin_of(gtid: str, gtids: GtidSet, status: ReplicaStatus) -> str:
    """Return where it was written, as far as its GTID shows."""
    server = next((uuid for uuid in gtids.uuids() if gtid in gtids.of_uuid(uuid)), "")
    if server == status.server_uuid:
        return "written on this replica itself"
    if any(channel.source_uuid == server for channel in status.channels):
        return "written on the source, which no longer has it"
    return f"written on another server, {server}"
