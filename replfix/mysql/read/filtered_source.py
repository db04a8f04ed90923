"""A source as the applier of a channel with replication filters sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from replfix.core.binlog.row_event import PassedOver, Transaction
from replfix.core.connection.endpoint import Endpoint
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.transaction_id import LogPosition
from replfix.core.rows.lookup import Answers, Lookup
from replfix.core.schema.filters import Filters
from replfix.core.schema.table import Table, TableName
from replfix.errors import Unreadable
from replfix.mysql.read.as_applied import as_applied
from replfix.mysql.server import MysqlServer, NamedAt
from replfix.wire.understood import understood


@understood
class FilteredSource(MysqlServer):
    """Tables have the names that the replica gives them; rows of tables that the channel leaves out are not there.

    Unreadable where the rules do not say which table is meant.
    """

    def __init__(self, endpoint: Endpoint, filters: Filters, named_at: NamedAt = lambda *_: None) -> None:
        super().__init__(endpoint, named_at)
        self._filters = filters
        self._origins: dict[TableName, TableName | None] = {}

    def table(self, name: TableName) -> Table | None:
        origin = self._origin(name)
        found = super().table(origin) if origin is not None else None
        return None if found is None else replace(found, name=name)

    def definition(self, schema: str, table: str | None) -> str | None:
        origin = TableName(schema, table) if table is not None else None
        if origin is not None and (renamed := self._origin(origin)) is not None:
            return super().definition(renamed.schema, renamed.name)
        return super().definition(schema, table)

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        names = {name: self._origin(name) or name for name in {lookup.table for lookup in lookups}}
        asked = {lookup: lookup.of(names[lookup.table]) for lookup in lookups}
        theirs = {origin: replace(tables[name], name=origin) for name, origin in names.items()}
        answers = super().find(theirs, tuple(asked.values()))
        return {lookup: answers[of] for lookup, of in asked.items()}

    def transaction(self, gtid: str, near: LogPosition | None = None) -> Transaction:
        return self._seen(super().transaction(gtid, near))

    def transaction_at(self, low: LogPosition, end_log_pos: int, log_file: str = "") -> Transaction:
        return self._seen(super().transaction_at(low, end_log_pos, log_file))

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        return map(self._seen, super().transactions(gtids, limit))

    def transactions_from(self, start: LogPosition, limit: int) -> Iterator[Transaction]:
        return map(self._seen, super().transactions_from(start, limit))

    def readable(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        for found in super().readable(gtids):
            yield self._seen(found) if isinstance(found, Transaction) else found

    def waiting(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        for found in super().waiting(gtids):
            yield self._seen(found) if isinstance(found, Transaction) else found

    def waiting_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        for found in super().waiting_from(start):
            yield self._seen(found) if isinstance(found, Transaction) else found

    def _origin(self, name: TableName) -> TableName | None:
        """Return the source's table from which one of the replica's gets its rows; None when there is none."""
        if name not in self._origins:
            there = [each for each in self._filters.origins(name) if super(FilteredSource, self).table(each)]
            if len(there) > 1:
                raise Unreadable(
                    f"The channel applies rows of {' and of '.join(map(str, there))} to {name} (REPLICATE_REWRITE_DB): which of "
                    "them a row of the replica comes from is not known.",
                )
            self._origins[name] = there[0] if there else None
        return self._origins[name]

    def _seen(self, transaction: Transaction) -> Transaction:
        seen = as_applied(transaction, self._filters)
        for name in seen.column_names:
            self._origin(name)
        return seen
