"""Read-only: every conflict that waits in a channel's backlog, in the order in which the applier comes to it.

The backlog is read once, in runs of transactions. For each run the replica is asked for all rows that it touches, in a
few batches; then each transaction is played against these rows as earlier transactions have left them
(``core/conflicts/ahead/``). What cannot be followed is named, with where it begins, and never guessed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from replfix.core import sql
from replfix.core.binlog.row_event import PassedOver, RowChange, Transaction
from replfix.core.binlog.statement import Statement
from replfix.core.conflicts.ahead.first_touch import FirstTouches, is_plain, is_whole
from replfix.core.conflicts.ahead.forecast import Ahead, Effect, Forecast, Scanned, Unscanned
from replfix.core.conflicts.ahead.play import Applier, Met, Played, asked, play, play_plain
from replfix.core.conflicts.ahead.replica_model import ReplicaModel
from replfix.core.conflicts.ahead.statements import Deed, Does, deed_of, names
from replfix.core.conflicts.apart_by_key import enforces_alike
from replfix.core.incident.stopped_channel import channel_named, stopped_channel
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName, UniqueKey
from replfix.core.words import Advance, counted
from replfix.errors import ReplfixError, ReplicationError
from replfix.ports import Clock, Progress, Replica, SourceOf
from replfix.workflow.forecast.read_backlog import ALL, Backlog, id_of, open_backlog
from replfix.workflow.investigate.compare_rows import definitions_of

ROWS_AT_ONCE = 5000
"""Rows of a run of transactions that are looked up together; a transaction is never divided."""
TRANSACTIONS_AT_ONCE = 5000
WITHOUT_A_KEY = 100_000
"""Rows of a table without a key that are read for each batch of look-ups: each reads the whole table."""
TOLD_EVERY = 0.3
"""Seconds between two reports of progress."""

_NATIVE_FOREIGN_KEYS = "innodb_native_foreign_keys"  # MySQL 9.6; before it there were no others
_ROW_IMAGE = "binlog_row_image"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a forecast may go; None: to the end."""

    max_rows: int | None
    max_seconds: float | None
    max_memory: int  # bytes


def forecast(
    replica: Replica,
    source_of: SourceOf,
    channel: str | None,
    clock: Clock,
    bounds: Bounds,
    progress: Progress,
    *,
    values: bool = False,
) -> Forecast:
    """Return what waits in the backlog of the channel; None: the one that is stopped, else the first.

    ``values``: also what the applier overwrites or deletes without an error. An applier that runs goes on meanwhile: what
    it has applied in the end is left out. Errors as those of the ports; a backlog that cannot be read to its end is no
    error, and named in the answer.
    """
    began = clock.now()
    status = replica.status()
    of = channel_named(status, channel) if channel is not None else stopped_channel(status) or status.channels[0]
    backlog = open_backlog(replica, source_of, status, of)
    scan = _Scan(replica, status, backlog, clock, bounds, progress, began, values=values)
    scan.run()
    found = [one for one in scan.found if values or one.effect is Effect.STOPS]
    if of.applier_running and found:
        found = _still_ahead(replica, of, found)
    tables = {one.conflict.table: scan.model.tables[one.conflict.table] for one in found}
    return Forecast(of.name, scan.scanned(), tables, tuple(found))


def _still_ahead(replica: Replica, channel: ChannelStatus, found: list[Ahead]) -> list[Ahead]:
    now = replica.status()
    of = now.channel(channel.name) or channel
    return [one for one in found if not now.has_applied(of, one.transaction)]


@dataclass(slots=True)
class _Rest:
    """What is not looked at any more, by table; each with where that begins."""

    tables: dict[TableName, Unscanned] = field(default_factory=dict)
    texts: list[tuple[str, Unscanned]] = field(default_factory=list)  # statements whose every table is meant
    fresh: set[TableName] = field(default_factory=set)  # created by the backlog: nothing of the replica is in it

    def ends(self, table: TableName) -> bool:
        """Return whether rows of the table are not looked at."""
        if table in self.fresh or table in self.tables:
            return True
        for text, why in self.texts:
            if names(text, table):
                self.tables[table] = Unscanned(str(table), why.why, table, why.since)
                return True
        return False

    def end(self, table: TableName, why: str, since: TransactionId | None) -> None:
        """Note that rows of the table are not looked at from there on."""
        self.tables.setdefault(table, Unscanned(str(table), why, table, since))


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of a transaction that are looked at, with their numbers in it where they are not all of it."""

    one: Transaction
    tables: dict[TableName, Table]  # of the others
    plain: tuple[RowChange, ...]
    plain_at: Sequence[int] | None
    others: tuple[RowChange, ...]
    others_at: Sequence[int] | None


class _Scan:
    def __init__(
        self,
        replica: Replica,
        status: ReplicaStatus,
        backlog: Backlog,
        clock: Clock,
        bounds: Bounds,
        progress: Progress,
        began: float,
        *,
        values: bool,
    ) -> None:
        self._replica = replica
        self._backlog = backlog
        self._clock = clock
        self._bounds = bounds
        self._progress = progress
        self._began = began
        self._told = began - TOLD_EVERY
        self.model = ReplicaModel(replica.find, replica.weights)
        self._touches = FirstTouches(replica, values=values)
        self._whole_rows: bool | None = None
        self.found: list[Ahead] = []
        self._applier = _applier(replica, status)
        self._unscanned: list[Unscanned] = [*backlog.unscanned]
        self._rest = _Rest()
        self._run: list[Transaction] = []
        self._rows_in_run = 0
        self._numbered = 0  # transactions that were played
        self._definitions = _Definitions(replica)
        self._converts: bool | None = None
        self._prepared: dict[str, tuple[TableName, ...]] = {}  # XA
        self._defining: Counter[str] = Counter()
        self._passed_over = 0
        self.transactions = self.events = self.rows = 0

    # --- reading ---

    def run(self) -> None:
        """Read to the end, or to where one of the bounds is."""
        try:
            for one in self._backlog.transactions:
                if not self._take(one):
                    break
            self._flush()
        except ReplicationError as reason:
            self._flush()
            last = f"What follows the {counted(self.transactions, 'transaction')} that were read"
            said = " ".join(filter(None, (reason.message, reason.hint)))
            self._unscanned.append(Unscanned(last if self.transactions else ALL, said))
        self._advance(last=True)

    def scanned(self) -> Scanned:
        """Return how much was looked at."""
        unscanned = [*self._unscanned, *self._rest.tables.values()]
        unscanned += [
            why for text, why in self._rest.texts if not any(names(text, table) for table in self._rest.tables)
        ]
        if self._defining:
            kinds = ", ".join(sorted(self._defining))
            unscanned.append(
                Unscanned(
                    f"{counted(sum(self._defining.values()), 'statement')} that change no rows ({kinds})",
                    "Whether the replica can run them was not looked at.",
                )
            )
        if self._passed_over:
            unscanned.append(
                Unscanned(
                    f"{counted(self._passed_over, 'conflict')} that the applier passes over",
                    "The replica is set to skip such errors (replica_skip_errors, replica_exec_mode): the rows stay as they are.",
                )
            )
        return Scanned(
            self.transactions,
            self.events,
            self.rows,
            self._clock.now() - self._began,
            tuple(dict.fromkeys(unscanned)),
        )

    def _take(self, one: Transaction | PassedOver) -> bool:
        """Return whether to go on."""
        if isinstance(one, PassedOver):
            self._flush()
            self._unscanned.append(Unscanned(f"{one.gtid} and all that follows it", one.why, since=id_of(one)))
            return False
        if limit := self._limit(len(one.changes)):
            self._flush()
            self._unscanned.append(Unscanned(f"{one.id} and all that follows it", limit, since=one.id))
            return False
        self.transactions += 1
        self.rows += len(one.changes)
        self.events += len({change.event_end_pos for change in one.changes}) + len(one.statements)
        if one.statements:
            self._flush()
            for statement in one.statements:
                self._follow(statement, one.id)
        self._run.append(one)
        self._rows_in_run += len(one.changes)
        if self._rows_in_run >= ROWS_AT_ONCE or len(self._run) >= TRANSACTIONS_AT_ONCE:
            self._flush()
        if one.prepared:
            self._flush()
            self._prepared[one.xa_id] = tuple(dict.fromkeys(change.table for change in one.changes))
        self._advance()
        return True

    def _limit(self, more: int) -> str:
        bounds, seconds = self._bounds, self._clock.now() - self._began
        if bounds.max_rows is not None and self.rows + more > bounds.max_rows:
            return f"The limit of {bounds.max_rows:,} rows was reached (--max-rows)."
        if bounds.max_seconds is not None and seconds > bounds.max_seconds:
            return f"The limit of {bounds.max_seconds:,.0f} s was reached (--max-seconds)."
        if self.model.size + self._touches.size > bounds.max_memory:
            return f"The limit of {bounds.max_memory >> 20:,} MiB was reached (--max-memory)."
        return ""

    def _advance(self, *, last: bool = False) -> None:
        now = self._clock.now()
        if last or now - self._told >= TOLD_EVERY:
            self._told = now
            text = f"Comparing the backlog with the replica (from {self._backlog.where})"
            self._progress(Advance(text, self.transactions, self._backlog.count, "transactions"))

    # --- statements ---

    def _follow(self, statement: Statement, at: TransactionId) -> None:
        deed = deed_of(statement)
        match deed.does:
            case Does.EMPTIES:
                for table in deed.tables:
                    self._empty(table)
            case Does.DROPS | Does.REPLACES | Does.CREATES:
                self._of_tables(deed, statement, at)
            case Does.DROPS_SCHEMA:
                for table in [table for table in self.model.tables if table.schema == deed.schema]:
                    self._empty(table)
            case Does.CREATES_SCHEMA:
                if not deed.sure and self._replica.definition(deed.schema, None) is not None:
                    self._end_text(statement, at, f"fails on the replica: it has {deed.schema} already (1007)")
            case Does.ALTERS:
                self._end_text(statement, at, "changes the table: what follows it was not looked at")
            case Does.WRITES:
                self._writes(statement, at)
            case Does.COMMITS_XA | Does.TAKES_BACK_XA:
                self._xa(deed, at)
            case Does.DEFINES:
                words = statement.text.split()[:2]
                self._defining[" ".join(words).upper()[:40]] += 1
            case Does.NOTHING:
                pass

    def _empty(self, table: TableName) -> None:
        self.model.empty(table)
        self._touches.empty(table)

    def _of_tables(self, deed: Deed, statement: Statement, at: TransactionId) -> None:
        for table in deed.tables:
            is_there = table in self._rest.fresh or self._definitions.table(table) is not None
            if deed.does is Does.CREATES:
                if is_there and not deed.sure:
                    self._end_text(statement, at, f"fails on the replica: it has {table} already (1050)")
                elif not is_there:
                    self._rest.fresh.add(table)
                continue
            if not is_there and not deed.sure:
                self._end_text(statement, at, f"fails on the replica: it has no {table} (1051)")
                continue
            self._empty(table)
            self._rest.fresh.discard(table)
            self._definitions.gone.add(table)
            if deed.does is Does.REPLACES:
                self._rest.fresh.add(table)

    def _end_text(self, statement: Statement, at: TransactionId, why: str) -> None:
        text = statement.text if len(statement.text) <= 200 else statement.text[:200] + "…"
        unscanned = Unscanned(", ".join(map(str, statement.mentioned)) or str(at), f"{text}: {why}.", since=at)
        self._rest.texts.append((statement.text, unscanned))
        for table in statement.tables:
            self._rest.end(table, unscanned.why, at)

    def _writes(self, statement: Statement, at: TransactionId) -> None:
        """Rows that are in no event: of the tables that it names, and of those that their triggers and cascades reach."""
        self._end_text(statement, at, "was logged as a statement: which rows it writes is not in the binlog")
        waiting = [table for table in self._mentioned(statement) if table is not None]
        if not waiting or any(table.triggers for table in waiting):
            self._unscanned.append(
                Unscanned(
                    f"What follows {at}",
                    f"{statement.text[:200]}: it may write rows of tables that it does not name, and they are in no event.",
                    since=at,
                )
            )
        seen = {table.name for table in waiting}
        while waiting:
            for key in waiting.pop().referenced_by:
                if key.child not in seen and (child := self._definitions.table(key.child)) is not None:
                    seen.add(key.child)
                    waiting.append(child)
                    self._rest.end(
                        key.child, f"Foreign keys reach it from a statement whose rows are in no event ({at}).", at
                    )

    def _mentioned(self, statement: Statement) -> Iterator[Table | None]:
        known = {*statement.tables, *(table for table in self.model.tables if names(statement.text, table))}
        yield from (self._definitions.table(name) for name in sorted(known))

    def _xa(self, deed: Deed, at: TransactionId) -> None:
        tables = self._prepared.pop(deed.xa_id, None)
        if tables is None:
            self._unscanned.append(
                Unscanned(
                    f"The rows of the XA transaction {deed.xa_id}",
                    f"It was prepared before the backlog begins, and {at} ends it: what is prepared cannot be read.",
                )
            )
        elif deed.does is Does.TAKES_BACK_XA:
            for table in tables:
                self._rest.end(table, f"{at} rolls back an XA transaction that changed it.", at)

    # --- rows ---

    def _flush(self) -> None:
        run, self._run, self._rows_in_run = self._run, [], 0
        parts = [self._divided(one) for one in run if one.changes]
        places = [place for place, one in enumerate(run, self._numbered + 1) if one.changes]
        self._numbered += len(run)
        suspects = self._touches.suspects([part.plain for part in parts])
        self.model.fetch(
            lookup for part in parts for lookup in asked(part.others, part.tables, self.model, self._applier)
        )
        if self.model.apart:
            self.model.weigh(change for part in parts for change in part.others)
        for number, part in enumerate(parts):
            found: list[Met] = []
            displaced: Sequence[tuple[TableName, RowImage]] = ()
            if number in suspects:
                answers = self._touches.answers(part.plain, self.model.tables)
                played = play_plain(part.plain, self.model.tables, answers, self._applier)
                found += self._noted(part.one, played, part.plain_at)
                displaced = played.displaced
            self._touches.settle(part.plain, displaced)
            if part.others:
                played = play(part.others, part.tables, self.model, self._applier)
                found += self._noted(part.one, played, part.others_at)
            found.sort(key=lambda met: met.conflict.change)
            one = part.one
            self.found += [
                Ahead(one.id, one.committed_at, met.effect, met.errno, met.conflict, number=places[number])
                for met in found
            ]
        self.model.forget()

    def _noted(self, one: Transaction, played: Played, places: Sequence[int] | None) -> Iterator[Met]:
        """Yield what the applier meets, by the numbers that the changes have in their transaction."""
        self._passed_over += played.passed_over
        for name in played.unidentified:
            self._rest.end(
                name, "The events do not have what names its rows on the replica (binlog_row_image).", one.id
            )
        for said in played.blockers:
            self._unscanned.append(Unscanned(f"Rows of {one.id}", said, since=one.id))
        for met in played.met:
            change = met.conflict.change
            at = change if places is None else places[change]
            yield met if at == change else replace(met, conflict=replace(met.conflict, change=at))

    def _divided(self, one: Transaction) -> _Part:
        """Divide a transaction's rows into those of plain tables and others that are looked at."""
        fitted, tables = self._tables_of(one)
        plain = self._touches.names
        all_plain = len(tables) == len(one.column_names) and all(name in plain for name in tables)
        if all_plain and all(map(is_whole, fitted.changes)):
            return _Part(one, {}, fitted.changes, None, (), None)
        at_plain, at_others = list[int](), list[int]()
        for number, change in enumerate(fitted.changes):
            if change.table not in tables or self._rest.ends(change.table):
                continue
            if change.table not in plain:
                at_others.append(number)
            elif is_whole(change):
                at_plain.append(number)
            else:
                why = "From here on its events do not have every column (binlog_row_image), unlike those before."
                self._rest.end(change.table, why, one.id)
        others = {name: table for name, table in tables.items() if name not in plain}
        first, second = (tuple(fitted.changes[number] for number in at) for at in (at_plain, at_others))
        return _Part(one, others, first, at_plain, second, at_others)

    def _tables_of(self, one: Transaction) -> tuple[Transaction, dict[TableName, Table]]:
        """Return the transaction in the form of the replica's tables, and those of them that are looked at."""
        fresh = self._rest.fresh
        defined = definitions_of(self._definitions, one)
        for name, why in defined.mismatches.items():
            if name not in fresh:
                self._rest.end(name, why, one.id)
        for other in defined.other_types if not self._is_converting() else ():
            if other.table not in fresh:
                self._rest.end(other.table, f"{other.in_words}: the applier stops with an error.", one.id)
        for name, table in defined.tables.items():
            if name not in self.model.tables:
                self._add(table, one.id)
        tables = {name: table for name, table in defined.tables.items() if not self._rest.ends(name)}
        self.model.tables.update(tables)
        return defined.transaction, tables

    def _is_converting(self) -> bool:
        if self._converts is None:
            self._converts = any(self._replica.variables(sql.TYPE_CONVERSIONS).values())
        return self._converts

    def _add(self, table: Table, at: TransactionId) -> None:
        """Note a table that is met for the first time, and those that foreign keys lead to from it."""
        if table.without_overlaps:
            self._rest.end(table.name, "It has a key over periods (WITHOUT OVERLAPS): such rows are not compared.", at)
        elif table.identity is None and self._replica.rows_up_to(table.name, WITHOUT_A_KEY) is None:
            why = (
                f"It has no key that names its rows, and more than {WITHOUT_A_KEY:,} rows: each look-up reads them all."
            )
            self._rest.end(table.name, why, at)
        if keys := self._keys_apart(table):
            self.model.apart[table.name] = keys
        elif is_plain(table) and self._is_plain_here():
            self._touches.add(table)
        waiting = [table]
        while waiting:
            one = waiting.pop()
            self.model.tables[one.name] = one
            related = {key.child for key in one.referenced_by} | {key.parent for key in table.foreign_keys}
            for name in sorted(related - set(self.model.tables)):
                if not self._rest.ends(name) and (other := self._definitions.table(name)) is not None:
                    waiting.append(other)

    def _is_plain_here(self) -> bool:
        """Return whether the source logs whole rows, and the applier stops at every conflict."""
        if self._whole_rows is None:
            source = self._backlog.source
            found = source.variables((_ROW_IMAGE,)) if source is not None else {}
            self._whole_rows = (found.get(_ROW_IMAGE) or "").upper() == "FULL"
        return self._whole_rows and not self._applier.idempotent and not self._applier.skips

    def _keys_apart(self, table: Table) -> tuple[UniqueKey, ...]:
        """Return the replica's keys under which the source can have rows that are one for the replica."""
        source = self._backlog.source
        if not table.unique_keys:
            return ()
        try:
            theirs = source.table(table.name) if source is not None else None
        except ReplfixError:
            theirs = None
        return tuple(key for key in table.unique_keys if theirs is None or not enforces_alike(theirs, table, key))


class _Definitions:
    """The replica's definitions, each read once; ``gone`` are tables that the backlog drops."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._tables: dict[TableName, Table | None] = {}
        self.gone: set[TableName] = set()

    def table(self, name: TableName) -> Table | None:
        """Return the table's definition; None where there is none (any more)."""
        if name in self.gone:
            return None
        if name not in self._tables:
            self._tables[name] = self._replica.table(name)
        return self._tables[name]

    def definition(self, schema: str, table: str | None) -> str | None:
        """Return what there is in place of a table that has no definition."""
        return self._replica.definition(schema, table)


def _applier(replica: Replica, status: ReplicaStatus) -> Applier:
    found = replica.variables((*sql.EXEC_MODE, *sql.SKIP_ERRORS))
    mode = next((value for name in sql.EXEC_MODE if (value := found.get(name))), "STRICT").upper()
    skipped = next((value for name in sql.SKIP_ERRORS if (value := found.get(name))), "OFF")
    numbers = frozenset(int(word) for word in skipped.replace(",", " ").split() if word.isdigit())
    if skipped.upper() == "ALL":
        numbers = frozenset((1032, 1062, 1451, 1452))
    mariadb = status.product == "MariaDB"
    native = replica.variables((_NATIVE_FOREIGN_KEYS,))[_NATIVE_FOREIGN_KEYS]
    looks_again = mariadb or native is None or native.upper() in ("ON", "1")
    return Applier(mariadb, looks_again, mode == "IDEMPOTENT", numbers)
