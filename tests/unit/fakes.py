"""A replica, its source, the trail and the clock in memory: they stand in at the ports and behave as ``ports/`` states.

Every call through a port is a step of one ``World``: tests read the order of the steps, and let something go wrong
before or after any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice

from replfix.core.binlog.alter_table import ForeignKeyClause
from replfix.core.binlog.row_event import ChangeKind, PassedOver, RowChange, Transaction
from replfix.core.conflicts.reconcile import final_rows, not_as_final, spare_rows
from replfix.core.connection.limits import LIMITS
from replfix.core.connection.privileges import Granted
from replfix.core.connection.tls import TlsMode
from replfix.core.doctor.checkup import ClockReading, Connected, Inventory, Some
from replfix.core.incident.evidence import LockHolder
from replfix.core.incident.incident_context import Program
from replfix.core.plan.left_changed import LastSet, SettingNow
from replfix.core.plan.plan import Plan, SourceWrite, Step, StepKind
from replfix.core.plan.trigger_reach import Fired, Reach
from replfix.core.replication.applier_error import ApplierError, parse
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.readers import Reader
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, ReplicaStatus
from replfix.core.replication.start_threads import Threads
from replfix.core.replication.transaction_id import LogPosition, TransactionId
from replfix.core.rows.lookup import Answers, Lookup, PartValues, by_identity
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.table import Column, KeyPart, Table, TableName, UniqueKey
from replfix.core.sql.table_facts import FactRows, TableFact
from replfix.core.trail.audit_record import (
    START,
    AuditRecord,
    Head,
    RecordKind,
    Verification,
    canonical,
    chained,
    verify_chain,
)
from replfix.errors import Busy, RehearsalFailed, ReplicationError, Stale

VERSION = "9.7.4"


class RowError(Exception):
    """What a storage engine says to one row: 1062 or 1032."""

    def __init__(self, errno: int, table: TableName, text: str) -> None:
        super().__init__(text)
        self.errno = errno
        self.table = table


class Rows:
    """Tables that enforce their unique keys row by row, as InnoDB does, and find rows as the applier does."""

    def __init__(self, tables: dict[TableName, Table], held: dict[TableName, list[RowImage]]) -> None:
        self.tables = tables
        self.held = held

    def __repr__(self) -> str:
        return "; ".join(f"{name}: {rows}" for name, rows in self.held.items())

    @classmethod
    def of(cls, *tables: Table) -> Rows:
        return cls({t.name: t for t in tables}, {t.name: [] for t in tables})

    def holding(self, table: Table, *rows: RowImage) -> Rows:
        for row in rows:
            self.insert(table.name, row)
        return self

    def copy(self) -> Rows:
        return Rows(self.tables, {name: list(rows) for name, rows in self.held.items()})

    def _value(self, table: Table, part: KeyPart, values: PartValues) -> Value | PartValues:
        """As the key compares it; an expression as if it were the tuple of what it reads."""
        if part.column is None:
            return None if None in values else values
        value = values[0]
        if isinstance(value, str) and (table.column(part.column).collation or "").endswith("_ci"):
            value = value.casefold()
        if part.prefix is not None and isinstance(value, str | bytes):
            return value[: part.prefix]
        return value

    def _of_key(self, table: Table, key: UniqueKey, row: RowImage) -> tuple[Value | PartValues, ...] | None:
        values = tuple(
            self._value(table, p, tuple(row[table.column(name).ordinal] for name in p.columns)) for p in key.parts
        )
        return None if None in values else values

    def find(self, lookup: Lookup) -> tuple[RowImage, ...]:
        table = self.tables[lookup.table]
        if lookup.least is not None:
            values = [(row, by_identity(table, row)) for row in self.held[lookup.table]]
            equal = [(row, sum(a == b for a, b in zip(x.values, lookup.values, strict=True))) for row, x in values if x]
            return tuple(row for row, columns in equal if columns >= lookup.least)
        if lookup.key is None:
            return tuple(row for row in self.held[lookup.table] if by_identity(table, row) == lookup)
        wanted = tuple(self._value(table, p, v) for p, v in zip(lookup.parts, lookup.values, strict=True))
        key = UniqueKey(lookup.key, lookup.parts)
        return tuple(row for row in self.held[lookup.table] if self._of_key(table, key, row) == wanted)

    def _check(self, table: Table, image: RowImage, but: RowImage | None = None) -> None:
        for key in table.unique_keys:
            values = self._of_key(table, key, image)
            for row in self.held[table.name]:
                if values is not None and row is not but and self._of_key(table, key, row) == values:
                    raise RowError(
                        1062, table.name, f"Duplicate entry '{values[0]}' for key '{table.name.name}.{key.name}'"
                    )

    def by_identity(self, name: TableName, image: RowImage) -> RowImage:
        table = self.tables[name]
        if table.identity is None:
            for row in self.held[name]:
                if row == image:
                    return row
            raise RowError(1032, name, f"Can't find record in '{name.name}'")
        wanted = self._of_key(table, table.identity, image)
        for row in self.held[name]:
            if self._of_key(table, table.identity, row) == wanted:
                return row
        raise RowError(1032, name, f"Can't find record in '{name.name}'")

    def insert(self, name: TableName, image: RowImage) -> None:
        self._check(self.tables[name], image)
        self.held[name].append(image)

    def delete(self, name: TableName, before: RowImage) -> None:
        row = self.by_identity(name, before)
        self.held[name].remove(row)  # the first of those that are the same

    def update(self, name: TableName, before: RowImage, after: RowImage) -> None:
        row = self.by_identity(name, before)
        full = tuple(old if new is NOT_LOGGED else new for old, new in zip(row, after, strict=True))
        self._check(self.tables[name], full, row)
        self.held[name][self.held[name].index(row)] = full

    def apply(self, change: RowChange) -> None:
        """One row of a rows event: found by its identity, other columns not compared."""
        if change.before is None:
            assert change.after is not None
            self.insert(change.table, change.after)
        elif change.after is None:
            self.delete(change.table, change.before)
        else:
            self.update(change.table, change.before, change.after)

    def carry_out(self, plan: Plan) -> None:
        """Compare every row that the plan displaces, then run its steps."""
        for step in plan.steps:
            if step.current is not None and step.current not in self.held[step.table]:
                raise Stale(f"A row of {step.table} is not what was diagnosed any more.")
        for step in plan.steps:
            try:
                if step.kind is StepKind.INSERT:
                    assert step.target is not None
                    self.insert(step.table, step.target)
                elif step.kind is StepKind.DELETE:
                    assert step.current is not None
                    self.delete(step.table, step.current)
                else:
                    assert step.current is not None
                    assert step.target is not None
                    self.update(step.table, step.current, step.target)
            except RowError as error:
                raise RehearsalFailed(f"The replica rejects a step of the plan: {error}.") from None

    @property
    def contents(self) -> dict[TableName, frozenset[RowImage]]:
        return {name: frozenset(rows) for name, rows in self.held.items()}


@dataclass
class World:
    """The steps that were made through the ports, and what goes wrong at one of them."""

    steps: list[str] = field(default_factory=list)
    before: dict[str, BaseException | Callable[[], object]] = field(default_factory=dict)
    after: dict[str, BaseException | Callable[[], object]] = field(default_factory=dict)
    interrupt_at: tuple[int, bool] | None = None  # number of the step, and whether its effect has taken place

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        number = len(self.steps)
        self.steps.append(name)
        self._happen(self.before.get(name))
        if self.interrupt_at == (number, False):
            raise KeyboardInterrupt
        yield
        self._happen(self.after.get(name))
        if self.interrupt_at == (number, True):
            raise KeyboardInterrupt

    def _happen(self, what: BaseException | Callable[[], object] | None) -> None:
        if isinstance(what, BaseException):
            raise what
        if what is not None:
            what()


class FakeServer:
    limits = LIMITS

    def __init__(self, world: World, name: str, uuid: str, rows: Rows) -> None:
        self.world = world
        self.name = name
        self.server_uuid = uuid
        self.rows = rows
        self.gtids = GtidSet()
        self.log: dict[str, Transaction] = {}
        self.blind: tuple[str, ...] = ()
        self.replicas: list[FakeReplica] = []
        self.logs_whole_rows = True
        self.settings: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"{self.name}:3306"

    def uuid(self) -> str:
        with self.world.step(f"{self.name}.uuid"):
            return self.server_uuid

    def executed(self) -> GtidSet:
        with self.world.step(f"{self.name}.executed"):
            return self.gtids

    def purged(self) -> GtidSet:
        return GtidSet()

    def table(self, name: TableName) -> Table | None:
        with self.world.step(f"{self.name}.table"):
            return self.rows.tables.get(name)

    def definition(self, schema: str, table: str | None) -> str | None:
        return None

    def script(self, kind: str, name: TableName) -> tuple[str, ...]:
        return ()

    def library_of(self, plugin: str) -> str | None:
        return None

    def grants_of(self, account: str) -> tuple[str, ...] | None:
        return None

    def rows_up_to(self, name: TableName, limit: int) -> int | None:
        rows = len(self.rows.held.get(name, ()))
        return rows if rows <= limit else None

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        with self.world.step(f"{self.name}.find"):
            return {lookup: self.rows.find(lookup) for lookup in lookups}

    def count(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
        return {lookup: len(self.rows.find(lookup)) for lookup in lookups}

    def named(
        self, table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]], columns: Sequence[Column]
    ) -> list[tuple[Value, ...]]:
        with self.world.step(f"{self.name}.named"):
            asked = (Lookup(table.name, key.name, key.parts, tuple((value,) for value in of_row)) for of_row in values)
            found = dict.fromkeys(row for lookup in asked for row in self.rows.find(lookup))
        return [tuple(row[column.ordinal] for column in columns) for row in found]

    def count_named(self, table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]]) -> int:
        return len(self.named(table, key, values, ()))

    def weights(self, column: Column, values: Sequence[str]) -> list[bytes]:
        folds = (column.collation or "").endswith("_ci")
        return [(value.casefold() if folds else value).encode() for value in values]

    def find_uncommitted(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        return self.find(tables, lookups)

    def auto_increment(self) -> AutoIncrement:
        return AutoIncrement(1, 1)

    def variables(self, names: Sequence[str]) -> dict[str, str | None]:
        image = {"binlog_row_image": "FULL"} if self.logs_whole_rows else {}
        return {name: (image | self.settings).get(name) for name in names}

    def server_ids(self) -> frozenset[int]:
        return frozenset()

    def readers(self) -> tuple[Reader, ...] | None:
        return None

    def granted(self) -> Granted:
        return Granted("dba@%", frozenset({"SELECT", "TRIGGER", "SUPER"}) - frozenset(self.blind))

    def transaction(self, gtid: str, near: LogPosition | None = None) -> Transaction:
        with self.world.step(f"{self.name}.transaction"):
            if gtid not in self.log:
                raise ReplicationError(f"{gtid} is not in the binlog any more.")
            return self.log[gtid]

    def transaction_at(self, low: LogPosition, end_log_pos: int, log_file: str = "") -> Transaction:
        raise ReplicationError("Every transaction here has a GTID.")

    def transactions_from(self, start: LogPosition, limit: int) -> Iterator[Transaction]:
        with self.world.step(f"{self.name}.transactions_from"):
            found = [t for t in self.log.values() if start <= t.id.start]
        return islice(found, limit)

    def readable_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        with self.world.step(f"{self.name}.readable_from"):
            found = list(self.log.values())
        return iter(found)

    def transactions(self, gtids: GtidSet, limit: int) -> Iterator[Transaction]:
        with self.world.step(f"{self.name}.transactions"):
            found = [t for gtid, t in self.log.items() if gtid in gtids][:limit]
        return iter(found)

    def counter(self, table: Table) -> Counter | None:
        return None

    def programs(self, naming: TableName) -> tuple[Program, ...]:
        return ()

    def fact(self, fact: TableFact, name: TableName) -> FactRows:
        return ()

    def readable(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        with self.world.step(f"{self.name}.readable"):
            return iter([t for gtid, t in self.log.items() if gtid in gtids])

    def waiting(self, gtids: GtidSet) -> Iterator[Transaction | PassedOver]:
        return self.readable(gtids)

    def waiting_from(self, start: LogPosition) -> Iterator[Transaction | PassedOver]:
        return self.readable_from(start)

    def version(self) -> str:
        return VERSION

    def connected(self) -> Connected:
        return Connected(TlsMode.DISABLED, "", "", local=True, with_password=True)

    def clock(self) -> ClockReading:
        return ClockReading(0.0, 0.0)

    def format_description(self) -> bytes:
        return b"FDE"

    def serves(self, channel: ChannelStatus) -> str:
        return ""

    def channels(self) -> tuple[ChannelStatus, ...]:
        return ()

    def feeder(self, channel: ChannelStatus) -> FakeServer | None:
        return None

    def reach(self, writes: Sequence[tuple[TableName, str]]) -> Reach:
        fires = [Fired(name, t) for name, event in writes for t in self.rows.tables[name].triggers if t.event == event]
        return Reach(tuple(fires))

    @contextmanager
    def writing(self) -> Iterator[FakeWriting]:
        yield FakeWriting(self)

    def write(self, transaction: Transaction) -> None:
        """As a client of this server would, logged."""
        for change in transaction.changes:
            self.rows.apply(change)
        assert transaction.gtid is not None
        self.log[transaction.gtid] = transaction
        self.gtids = self.gtids | GtidSet.parse(transaction.gtid)


class FakeReplica(FakeServer):
    """One channel without a name. ``relay`` holds the transactions that it has received and not applied."""

    def __init__(self, world: World, name: str, uuid: str, rows: Rows, source: FakeServer) -> None:
        super().__init__(world, name, uuid, rows)
        self.source = source
        self.relay: list[Transaction] = []
        source.replicas.append(self)
        self.receiver = ReceiverState.RUNNING
        self.applier_running = True
        self.error: tuple[int, str] = (0, "")
        self.super_read_only = True
        self.channel_exists = True
        self.held = False
        self.has_ends = True
        self.had_end = False

    def inventory(self, names: int) -> Inventory:
        return Inventory(Some(0, ()), Some(0, ()), Some(0, ()))

    def encrypted(self, channel: str) -> bool | None:
        return None

    def try_binlog(self, format_description: bytes) -> None:
        pass

    def not_as_events(self, table: Table) -> str:
        return ""

    def status(self) -> ReplicaStatus:
        with self.world.step(f"{self.name}.status"):
            errno, message = self.error
            channel = ChannelStatus(
                name="",
                source_host=self.source.name,
                source_port=3306,
                source_uuid=self.source.server_uuid,
                receiver=self.receiver,
                applier_running=self.applier_running,
                lag_seconds=0 if self.applier_running else None,
                receiver_errno=0,
                receiver_message="",
                applier_errno=errno,
                applier_message=message,
                worker_errors=(),
                retrieved=self.source.gtids,
                auto_position=True,
                has_end=self.had_end and not self.applier_running,
            )
            return ReplicaStatus(
                server_uuid=self.server_uuid,
                server_id=2,
                version=VERSION,
                gtid_mode="ON",
                read_only=True,
                super_read_only=self.super_read_only,
                executed=self.gtids,
                channels=(channel,) if self.channel_exists else (),
            )

    def connected_as(self, connection: int) -> str | None:
        return None

    def logs_all(self) -> bool:
        return True

    def worked_out_otherwise(self, table: Table, images: Sequence[RowImage]) -> Column | None:
        return None

    def duplicates(self, table: Table, key: UniqueKey, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        return ()

    def orphans(self, key: ForeignKeyClause, limit: int) -> tuple[tuple[tuple[str, ...], int], ...]:
        return ()

    def lock_holders(self, tables: Sequence[TableName]) -> tuple[LockHolder, ...]:
        return ()

    def start(
        self,
        channel: str,
        threads: Threads,
        *,
        until: TransactionId | None = None,
        before: TransactionId | None = None,
        gaps: bool = False,
    ) -> None:
        assert channel == ""
        assert not gaps
        how = " until" if until else " before" if before else ""
        with self.world.step(f"{self.name}.start{how}"):
            if threads is not Threads.APPLIER:
                self.receiver = ReceiverState.RUNNING
            if threads is not Threads.RECEIVER:
                self.run_applier(until, before)

    def run_applier(self, until: TransactionId | None = None, before: TransactionId | None = None) -> None:
        """Apply what was received, each transaction in full or not at all, up to an error or the end of an UNTIL."""
        self.applier_running, self.error = True, (0, "")
        self.had_end = until is not None or before is not None
        while self.relay and self.applier_running:
            transaction = self.relay[0]
            if transaction.id == before:
                self.applier_running = False
                return
            done = self.rows.copy()
            for change in transaction.changes:
                try:
                    done.apply(change)
                except RowError as error:
                    self.applier_running = False
                    self.error = (error.errno, self._words(transaction, change, error))
                    return
            self.rows.held = done.held
            assert transaction.gtid is not None
            self.gtids = self.gtids | GtidSet.parse(transaction.gtid)
            del self.relay[0]
            self.applier_running = transaction.id != until

    def _words(self, transaction: Transaction, change: RowChange, error: RowError) -> str:
        event = {ChangeKind.INSERT: "Write_rows", ChangeKind.UPDATE: "Update_rows", ChangeKind.DELETE: "Delete_rows"}
        return (
            f"Worker 1 failed executing transaction '{transaction.gtid}' at source log {transaction.log_file}, end_log_pos "
            f"{transaction.end_pos}; Could not execute {event[change.kind]} event on table {error.table}; {error}, Error_code: "
            f"{error.errno}; handler error X; the event's source log {transaction.log_file}, end_log_pos "
            f"{change.event_end_pos}"
        )

    def written_here(self, server_id: int, limit: int) -> tuple[Transaction, ...]:
        return ()

    def relayed(self, channel: str, gtid: str | None, end_log_pos: int | None) -> Transaction:
        raise ReplicationError("The relay log is not here.")

    def waiting_here(self, channel: ChannelStatus, executed: GtidSet) -> Iterator[Transaction | PassedOver]:
        return iter([one for one in self.relay if str(one.gtid) not in executed])

    def received(self, channel: ChannelStatus, transaction: Transaction) -> bool | None:
        return None

    def stops_after(self, transaction: TransactionId) -> bool:
        return self.has_ends

    def starts_receiver_alone(self) -> bool:
        return True

    def stop(self, channel: str, threads: Threads) -> None:
        if threads is not Threads.RECEIVER:
            self.applier_running = False
        if threads is not Threads.APPLIER:
            self.receiver = ReceiverState.STOPPED

    def replicas_below(self) -> tuple[str, ...]:
        return ()

    @contextmanager
    def repair(self, channel: str) -> Iterator[FakeRepair]:
        if self.held:
            raise Busy("Another replfix is working on this channel.")
        try:
            with self.world.step("repair"):
                self.held = True
            yield FakeRepair(self)
        finally:
            self.held = False


class FakeRepair:
    def __init__(self, replica: FakeReplica) -> None:
        self.replica = replica
        self.world = replica.world

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self.world.step("alone"):
            pass
        yield

    def settings(self) -> dict[str, str]:
        with self.world.step("settings"):
            return {"super_read_only": "1"} if self.replica.super_read_only else {}

    def server_time(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)

    def setting(self, name: str) -> SettingNow | None:
        last = LastSet(self.server_time(), "replfix@desk")
        return SettingNow(self.replica.super_read_only, shut=True, last_set=last) if name == "super_read_only" else None

    def writable(self, settings: Mapping[str, str]) -> AbstractContextManager[None]:
        return self._writable(settings)

    @contextmanager
    def _writable(self, settings: Mapping[str, str]) -> Iterator[None]:
        try:
            with self.world.step("writable"):
                self.replica.super_read_only = False
            yield
        finally:
            with self.world.step("put back"):
                self._put_back(settings)

    def put_back(self, settings: Mapping[str, str]) -> tuple[str, ...]:
        with self.world.step("put back leftovers"):
            self._put_back(settings)
        return tuple(settings)

    def _put_back(self, settings: Mapping[str, str]) -> None:
        assert set(settings) == {"super_read_only"}
        self.replica.super_read_only = settings["super_read_only"] == "1"

    def rehearse(self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]) -> None:
        assert not self.replica.super_read_only
        with self.world.step("rehearse"):
            trial = self.replica.rows.copy()
            trial.carry_out(plan)
            final = final_rows(transaction.changes, tables)
            held = {row.lookup: len(trial.find(row.lookup)) for row in final if row.lookup.key is None}
            spare = spare_rows(transaction.changes, tables, held)
            try:
                for change in transaction.changes:
                    trial.apply(change)
            except RowError as error:
                raise RehearsalFailed(f"In the rehearsal: {error} (error {error.errno}).") from None
            if wrong := not_as_final(final, tables, {row.lookup: trial.find(row.lookup) for row in final}, spare):
                raise RehearsalFailed("; ".join(wrong))

    @contextmanager
    def rehearse_backlog(self) -> Iterator[FakeBacklogRehearsal]:
        assert not self.replica.super_read_only
        with self.world.step("rehearse backlog"):
            yield FakeBacklogRehearsal(self.replica)

    def commit_transaction(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        raise AssertionError("the applier itself carries out what comes here")

    def rehearse_leaving_out(self, plan: Plan) -> None:
        with self.world.step("rehearse"):
            assert plan.left_out is not None

    def commit_empty(self, plan: Plan, guard: Callable[[], None]) -> None:
        guard()
        with self.world.step("commit"):
            self.replica.gtids = self.replica.gtids | GtidSet.parse(str(plan.transaction.gtid))
            self.replica.relay = [t for t in self.replica.relay if t.id != plan.transaction]

    def check_skip_counter(self) -> None:
        pass

    def skip_counter(self) -> str:
        return "sql_replica_skip_counter"

    def set_skip_counter(self) -> None:
        raise AssertionError("with GTIDs, nothing is counted")

    def apply(
        self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table], guard: Callable[[], None]
    ) -> None:
        assert not self.replica.super_read_only
        with self.world.step("apply"):
            trial = self.replica.rows.copy()
            trial.carry_out(plan)
            guard()
        with self.world.step("commit"):
            self.replica.rows.held = trial.held


class FakeBacklogRehearsal:
    """Works on a copy of the replica's rows."""

    def __init__(self, replica: FakeReplica) -> None:
        self.replica = replica
        self.trial = replica.rows.copy()
        self.format = b""

    def fits(self, transaction: Transaction) -> bool:
        self.format = self.format or transaction.raw.format_description
        return transaction.raw.format_description == self.format

    def run(self, transactions: Sequence[Transaction]) -> ApplierError | None:
        with self.replica.world.step(f"run {len(transactions)}"):
            before = self.trial.copy()
            try:
                for change in (change for each in transactions for change in each.changes):
                    self.trial.apply(change)
            except RowError as error:
                self.trial = before
                return parse(error.errno, str(error), transactions[0].gtid if len(transactions) == 1 else None)
            return None

    def rehearse(self, plan: Plan, transaction: Transaction, tables: Mapping[TableName, Table]) -> None:
        before = self.trial.copy()
        try:
            with self.replica.world.step("repair in rehearsal"):
                self.trial.carry_out(plan)
                if (error := self.run([transaction])) is not None:
                    raise RehearsalFailed(error.message)
        except BaseException:
            self.trial = before
            raise

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        return {lookup: self.trial.find(lookup) for lookup in lookups}

    def count(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
        return {lookup: len(self.trial.find(lookup)) for lookup in lookups}


class FakeWriting:
    """Gives 100 as the next AUTO_INCREMENT value, of any column."""

    def __init__(self, source: FakeServer) -> None:
        self.source = source
        self.world = source.world

    def _carry_out(self, part: SourceWrite) -> tuple[Rows, tuple[Step, ...]]:
        trial = self.source.rows.copy()
        steps = []
        for step in part.steps:
            target = step.target
            if target is not None and step.new_key:
                target = tuple(100 if n == step.new_key else v for n, v in zip(step.columns, target, strict=True))
            if step.current is not None and step.current not in trial.held[step.table]:
                raise Stale(f"On the source a row of {step.table} changed.")
            trial.apply(RowChange(step.table, ChangeKind(step.kind.value), step.current, target, 0))
            steps.append(replace(step, target=target))
        return trial, tuple(steps)

    def rehearse(self, part: SourceWrite, tables: Mapping[TableName, Table]) -> None:
        with self.world.step("rehearse on source"):
            self._carry_out(part)

    def write(
        self, part: SourceWrite, tables: Mapping[TableName, Table], tell: Callable[[tuple[Step, ...]], None]
    ) -> None:
        with self.world.step("write on source"):
            _, steps = self._carry_out(part)
            tell(steps)
        with self.world.step("commit on source"):
            changes = tuple(RowChange(s.table, ChangeKind(s.kind.value), s.current, s.target, 0) for s in steps)
            last = list(self.source.log.values())[-1]
            logged = replace(last, gtid=f"{self.source.server_uuid}:{len(self.source.log) + 1}", changes=changes)
            self.source.write(logged)
            for replica in self.source.replicas:
                replica.relay.append(logged)
                if replica.applier_running:
                    replica.run_applier()


class FakeTrail:
    def __init__(self, world: World) -> None:
        self.world = world
        self.written: list[AuditRecord] = []

    def append(
        self, kind: RecordKind, *, incident: str, replica: str, channel: str, payload: Mapping[str, object]
    ) -> AuditRecord:
        with self.world.step(f"trail {kind.value}"):
            last = self.written[-1] if self.written else None
            record = chained(
                Head(last.seq, last.hash) if last else START,
                recorded_at=datetime(2026, 3, 1, tzinfo=UTC),
                kind=kind,
                incident=incident,
                replica=replica,
                channel=channel,
                author="dba@desk",
                version="0",
                payload=canonical(payload),
            )
            self.written.append(record)
            return record

    def check_room(self, *payloads: Mapping[str, object]) -> None:
        with self.world.step("room"):
            assert all(canonical(payload) for payload in payloads)

    def open_settings(self) -> list[AuditRecord]:
        return self._open(RecordKind.SETTINGS, RecordKind.SETTINGS_RESTORED)

    def open_intents(self) -> list[AuditRecord]:
        return self._open(RecordKind.INTENT, RecordKind.OUTCOME)

    def _open(self, kind: RecordKind, closing: RecordKind) -> list[AuditRecord]:
        return [
            record
            for record in self.written
            if record.kind == kind
            and not any(
                later.kind == closing
                and later.incident == record.incident
                and later.replica == record.replica
                and later.seq > record.seq
                and later.content.get("result") != "unknown"
                for later in self.written
            )
        ]

    def get(self, id_prefix: str) -> AuditRecord:
        return next(record for record in self.written if record.id.startswith(id_prefix))

    def records(
        self, *, incident: str | None = None, limit: int | None = None, newest_first: bool = False
    ) -> Iterator[AuditRecord]:
        found = [record for record in self.written if incident in (None, record.incident)]
        return islice(reversed(found) if newest_first else found, limit)

    def verify(self) -> Verification:
        return verify_chain(self.written)

    def kinds(self) -> list[str]:
        return [record.kind for record in self.written]

    def results(self) -> list[object]:
        """Of the outcomes."""
        return [record.content["result"] for record in self.written if record.kind == RecordKind.OUTCOME]


class FakeClock:
    """Time passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
