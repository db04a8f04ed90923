"""Transactions that a replica has and none of its sources has: what is in them, and the two options."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from replfix.core import sql
from replfix.core.binlog.row_event import PassedOver, RowChange, Transaction
from replfix.core.remedies.remedy import LeadsTo
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.schema.table import TableName
from replfix.core.words import counted

STATEMENTS_FOR = 100
"""Transactions for which the SQL is written out; for the rest it is the same with other numbers."""


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

    def columns_of(self, table: TableName) -> tuple[str, ...]:
        """Return the names of the table's columns in its events."""
        return self.written.column_names.get(table, ()) if isinstance(self.written, Transaction) else ()


@dataclass(frozen=True, slots=True)
class WayOut:
    """``sql`` is for a human: replfix runs none of it."""

    name: str
    means: str
    where: str  # on which server the SQL is run
    sql: tuple[str, ...]
    leads_to: LeadsTo


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


def ways_out(
    status: ReplicaStatus, channel: ChannelStatus, gtids: GtidSet, there: GtidSet, top: str
) -> tuple[WayOut, ...]:
    """Return the options that there are, with their SQL.

    ``there`` is what the source has executed; ``top`` the server from which all others get what is written, which in a
    chain is not the source.
    """
    if status.product != "MariaDB":
        return (_empty(channel, gtids, top), _leave(gtids))
    ahead = _ahead(gtids.of_uuid(status.server_uuid), there)
    return (*([_empty_mariadb(top, ahead)] if ahead else ()), _leave_mariadb())


def _ahead(own: GtidSet, there: GtidSet) -> tuple[sql.Numbered, ...]:
    """Return the newest of each domain that is above all that the source has in that domain: another would be out of order.

    Only of the replica's own: those of others would come to it as if they were new.
    """
    highest: dict[str, int] = {}
    for (domain, _), intervals in there.intervals:
        highest[domain] = max(highest.get(domain, 0), intervals[-1][1])
    newest = (sql.Numbered(int(domain), int(server), spans[-1][1]) for (domain, server), spans in own.intervals)
    return tuple(each for each in newest if each.number > highest.get(str(each.domain), 0))


def _empty_mariadb(top: str, ahead: tuple[sql.Numbered, ...]) -> WayOut:
    return WayOut(
        "empty-transactions",
        "That server logs nothing under the newest number of each domain: it drops a procedure that does not exist, for MariaDB logs no "
        "empty transaction. That reaches every replica; this one skips it, because it has its own server_id. From then on every "
        "server's position is past these numbers, and no server asks for them. Rows that they changed here stay as they are, and "
        "differ from the source's.",
        top,
        sql.nothing_numbered(ahead),
        LeadsTo.NOT_ERRANT,
    )


def _empty(channel: ChannelStatus, gtids: GtidSet, top: str) -> WayOut:
    ordered = tuple(islice(gtids.newest_first(), STATEMENTS_FOR))[::-1]
    more = len(gtids) - len(ordered)
    means = "That server commits nothing under each of these GTIDs. That reaches every replica; this one skips them, because it has them. From then on no server asks for them. Rows that they changed here stay as they are, and differ from the source's."
    if gtids.of_uuid(channel.source_uuid):
        means += " Some are the source's own: it has lost them (restored, or reset), and will give their numbers to other transactions, which this replica then skips without an error. Do this before that."
    if more:
        means += f" The SQL is for the newest {len(ordered)}; {more:,} more are done likewise."
    leads_to = LeadsTo.NEXT_STEP if more else LeadsTo.NOT_ERRANT
    return WayOut("empty-transactions", means, top, sql.empty_transactions(ordered), leads_to)


def _leave(gtids: GtidSet) -> WayOut:
    return WayOut(
        "leave",
        "harmless until this replica is promoted. Then the other replicas fetch and apply them, or stop with error 1236 if "
        "they were purged. The SQL shows which are still in the binlog; commit empty transactions for the rest before a failover.",
        "this replica",
        (sql.still_in_binlog(str(gtids)),),
        LeadsTo.NOTHING_CHANGED,
    )


def _leave_mariadb() -> WayOut:
    return WayOut(
        "leave",
        "MariaDB keeps one position for each domain and no set of what was executed. The replica runs on. When it becomes the source, a replica whose position is before these "
        "gets them, and one whose position is not in its binlog is refused (error 1236). Before a failover, make the rows the same on both servers, or build the other replicas from this one. The SQL shows what is in its binlog of each server.",
        "this replica",
        (sql.BINLOG_STATE,),
        LeadsTo.NOTHING_CHANGED,
    )
