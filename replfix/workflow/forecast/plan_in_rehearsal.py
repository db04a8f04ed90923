"""The repair of one transaction that fails in a rehearsal of the backlog: as ``resolve`` would plan it at that point.

The replica's rows are read in the rehearsal's own transaction, the rest from both servers as always. Nothing here
decides which transactions fail: the replica's server has said so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import Plan
from replfix.core.replication.applier_error import ApplierError
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.rows.lookup import Answers, Lookup
from replfix.core.schema.auto_increment import AutoIncrement
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies import source_wins
from replfix.ports import BacklogRehearsal, Replica, Server
from replfix.workflow.investigate.compare_rows import compare, definitions_of
from replfix.workflow.investigate.gather_context import gather_definitions
from replfix.workflow.investigate.source.compare_with_source import compare_with_source


class _Defined:
    """A server whose definitions are read once: a rehearsal has their locks. All else is the server's own."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._tables: dict[TableName, Table | None] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._server, name)

    def table(self, name: TableName) -> Table | None:
        if name not in self._tables:
            self._tables[name] = self._server.table(name)
        return self._tables[name]


def read_once(replica: Replica) -> Replica:
    """Return the replica, with definitions that are read once."""
    return cast("Replica", _Defined(replica))


class _InRehearsal(_Defined):
    """The replica as the rehearsal's transaction has it."""

    def __init__(self, replica: Replica, rehearsal: BacklogRehearsal) -> None:
        super().__init__(replica)
        self._rehearsal = rehearsal

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        return self._rehearsal.find(tables, lookups)

    def count(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
        return self._rehearsal.count(tables, lookups)


class _WithBacklog(_Defined):
    """The source, whose backlog was read already as far as the rehearsal goes."""

    def __init__(self, source: Server, backlog: Sequence[Transaction]) -> None:
        super().__init__(source)
        self._backlog = backlog
        gtids = [each.gtid for each in backlog if each.gtid is not None]
        self._gtids = source.executed().exactly(gtids) if gtids else GtidSet()
        self.at = 0  # the place after the failing transaction

    def readable(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        for each in self._backlog[self.at :]:
            if each.gtid is not None and each.gtid in gtids:
                yield each
        if rest := gtids - self._gtids:
            yield from self._server.readable(rest)

    def transactions_from(self, start: LogPosition, limit: int) -> Iterator[Transaction]:
        left = limit
        for each in self._backlog[self.at :]:
            if left and start <= each.id.start:
                start, left = each.id.end, left - 1
                yield each
        yield from self._server.transactions_from(start, left) if left else ()


@dataclass(frozen=True, slots=True)
class Planned:
    """What was found of a failing transaction. ``plan`` None: ``reason`` says why a human has to look at it."""

    evidence: Evidence
    plan: Plan | None
    reason: str


class Planner:
    """Plans the repair of transactions that fail in one rehearsal."""

    def __init__(
        self,
        replica: Replica,
        source: Server,
        around: tuple[Server, ...],
        status: ReplicaStatus,
        channel: ChannelStatus,
        backlog: Sequence[Transaction],
        rehearsal: BacklogRehearsal,
        own: Callable[[], Iterable[Transaction]],
        *,
        by_gtid: bool,
    ) -> None:
        """``around`` and ``own`` as for ``compare_with_source``."""
        self._inside = cast("Replica", _InRehearsal(replica, rehearsal))
        self._with_backlog = _WithBacklog(source, backlog)
        self._source = cast("Server", self._with_backlog)
        self._around = (self._source, *around[1:]) if around else ()
        self._status = status
        self._channel = channel
        self._backlog = backlog
        self._executed = (0, status.executed)  # so many of the backlog are in the set
        self._own = own
        self._by_gtid = by_gtid
        self._source_uuid = source.uuid()
        self._increment: AutoIncrement = replica.auto_increment()
        self._blind_spots = replica.granted().blind_spots

    def plan(self, place: int, error: ApplierError) -> Planned:
        """Return the plan for the transaction of that place, which fails with ``error`` when all before it are executed."""
        transaction = self._backlog[place]
        self._with_backlog.at = place + 1
        status = replace(self._status, executed=self._executed_before(place))
        channel = replace(self._channel, applied_to=transaction.id.start)
        unknowns: list[str] = []
        defined = definitions_of(self._inside, transaction)
        tables = defined.tables
        transaction = defined.transaction
        found, applied = compare(self._inside, transaction, tables)
        settled = compare_with_source(
            self._inside,
            self._source,
            self._around,
            status,
            channel,
            error,
            transaction,
            tables,
            found,
            self._own,
            unknowns,
            by_gtid=self._by_gtid,
        )
        evidence = Evidence(
            status=status,
            channel=channel,
            error=error,
            source_uuid=self._source_uuid,
            transaction=transaction,
            tables=tables,
            reconciliation=settled.kept,
            applied=applied,
            source_rows=settled.source_rows,
            only_here=OnlyHere(GtidSet()),
            local_writes=(),
            replica_auto_increment=self._increment,
            source_auto_increment=None,
            blind_spots=self._blind_spots,
            unknowns=tuple(unknowns),
            mismatches=defined.mismatches,
            other_types=defined.other_types,
            swaps=settled.swaps,
            circle=tuple(server.address for server in self._around),
            kept_apart=settled.apart,
            not_as_events=tuple(filter(None, map(self._inside.not_as_events, tables.values()))),
        )
        proposal = source_wins.propose(gather_definitions(self._inside, self._source, evidence))
        return Planned(evidence, proposal.plan, proposal.reason)

    def _executed_before(self, place: int) -> GtidSet:
        counted, executed = self._executed
        gtids = [each.gtid for each in self._backlog[counted:place] if each.gtid is not None]
        if gtids:
            executed = executed | executed.exactly(gtids)
        self._executed = place, executed
        return executed
