"""The rows of errant transactions against the source's, while both servers are written to.

A row counts as different when it was read twice from the source, the same both times, and in between from the replica,
which had applied by then all that the source had executed at the first reading. Where the replica lags, the backlog is
read: rows that no transaction of it changes count all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from replfix.core.binlog.column_mapping import alike, there
from replfix.core.binlog.row_event import RowChange, Transaction
from replfix.core.conflicts.foreign_keys.cascades import PASSES_ON, Cascades
from replfix.core.remedies.errant_rows import ErrantRow, RowComparison
from replfix.core.remedies.errant_transactions import ErrantTransaction, in_words
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.lookup import Answers, Lookup, by_identity
from replfix.core.rows.row_values import NotRead
from replfix.core.schema.table import Table, TableName
from replfix.core.words import counted
from replfix.errors import ReplicationError
from replfix.ports import Clock, Progress, Replica, Server
from replfix.workflow.investigate.compare_rows import Definitions, definitions_of

ROWS = 10_000
"""Rows that are looked up on both servers, those of the newest transactions first."""

WAIT = 3.0
"""Seconds that a running replica is given to apply what the source had executed."""

BACKLOG_ROWS = 50_000
"""Rows of the backlog that are read."""

READINGS = 3
"""Of rows that are being written to."""


@dataclass(frozen=True, slots=True)
class _Touched:
    """What the replica's backlog changes. ``all_of``: tables of which any row may be changed; ``why`` of all of them."""

    rows: frozenset[Lookup] = frozenset()
    all_of: frozenset[TableName] = frozenset()
    why: str = ""

    def has(self, lookup: Lookup) -> bool:
        """Return whether the backlog changes that row, or may."""
        return bool(self.why) or lookup in self.rows or lookup.table in self.all_of


def compare_errant(
    replica: Replica,
    source: Server,
    transactions: Sequence[ErrantTransaction],
    clock: Clock,
    progress: Progress,
) -> RowComparison:
    """Compare the rows of those transactions, which come newest first, as far as they are known."""
    known = [one.written for one in reversed(transactions) if one.is_known and isinstance(one.written, Transaction)]
    known = [one for one in known if one.changes]
    if not known:
        return RowComparison()
    defined, gtids, not_compared = _defined(replica, known)
    tables, notes = dict(defined.tables), list[str]()
    touched_by: dict[Lookup, list[str]] = {}
    for change, gtid in zip(defined.transaction.changes, gtids, strict=True):
        if change.table not in tables:
            continue
        for lookup in _named(change, tables):
            touched_by.setdefault(lookup, []).append(gtid)
    cascading = set(Cascades.of(defined.transaction.changes, tables).by_child) - {
        change.table for change in defined.transaction.changes
    }
    lookups = list(touched_by)[-ROWS:]
    left_out = frozenset(gtid for lookup in list(touched_by)[:-ROWS] for gtid in touched_by[lookup])
    if left_out:
        notes.append(f"The newest {ROWS:,} of {len(touched_by):,} rows were compared.")
    lacking = set[TableName]()
    for name in list(tables):
        theirs = source.table(name)
        if theirs is None:
            lacking.add(name)
        elif not alike(theirs, tables[name]):
            not_compared[name] = f"The source's table {name} has other columns."
            del tables[name]
    lookups = [lookup for lookup in lookups if lookup.table in tables]
    progress(f"Comparing {counted(len(lookups), 'row')} with {source.address}")
    rows, backlog = _compared(replica, source, tables, lacking, lookups, clock)
    return RowComparison(
        tuple(replace(row, gtids=tuple(dict.fromkeys(touched_by[row.lookup]))) for row in _once(rows)),
        not_compared,
        left_out,
        tuple(sorted(cascading)),
        in_words(backlog) if backlog else "",
        tuple(notes),
    )


def _defined(
    replica: Replica, transactions: Sequence[Transaction]
) -> tuple[Definitions, list[str], dict[TableName, str]]:
    """Return all of the changes in the form of the replica's tables, the GTID of each, and tables that are not compared."""
    columns: dict[TableName, tuple[str, ...]] = {}
    not_compared: dict[TableName, str] = {}
    for one in transactions:
        for name in dict.fromkeys(change.table for change in one.changes):
            if columns.setdefault(name, one.column_names[name]) != one.column_names[name]:
                not_compared[name] = f"{name} was altered between these transactions."
    kept = [
        (change, str(one.gtid)) for one in transactions for change in one.changes if change.table not in not_compared
    ]
    defined = definitions_of(
        replica, replace(transactions[-1], changes=tuple(change for change, _ in kept), column_names=columns)
    )
    not_compared |= defined.mismatches
    for name, table in defined.tables.items():
        if table.identity is None:
            not_compared[name] = f"{name} has no key that names its rows."
    tables = {name: table for name, table in defined.tables.items() if name not in not_compared}
    return replace(defined, tables=tables), [gtid for _, gtid in kept], not_compared


def _named(change: RowChange, tables: Mapping[TableName, Table]) -> Iterator[Lookup]:
    """Yield the rows that a change names: before it and after it."""
    for image in (change.before, change.left):
        lookup = by_identity(tables[change.table], image) if image is not None else None
        if lookup is not None:
            yield lookup


def _compared(
    replica: Replica,
    source: Server,
    tables: dict[TableName, Table],
    lacking: set[TableName],
    lookups: list[Lookup],
    clock: Clock,
) -> tuple[list[ErrantRow], GtidSet]:
    theirs = {name: table for name, table in there(tables).items() if name not in lacking}
    found: dict[Lookup, ErrantRow] = {}
    asked, backlog = lookups, GtidSet()
    for reading in range(READINGS):
        on_source = tuple(lookup for lookup in asked if lookup.table not in lacking)
        before = source.find(theirs, on_source)
        backlog = _backlog(replica, source.executed(), clock)
        ours, after = replica.find(tables, tuple(asked)), source.find(theirs, on_source)
        moving = {lookup for lookup in on_source if before[lookup] != after[lookup]}
        rows = [_row(tables, lookup, ours, after, lacking) for lookup in asked]
        last = reading == READINGS - 1
        for row in rows:
            busy = "It is being written to on the source." if row.lookup in moving and row.differs else ""
            found[row.lookup] = replace(row, why=busy)
        asked = [row.lookup for row in rows if row.lookup in moving and row.differs]
        if last or not asked:
            break
    differing = {lookup for lookup, row in found.items() if row.differs}
    if backlog and differing:
        touched = _touched(source, replica, backlog, tables)
        for lookup in differing:
            if touched.has(lookup):
                why = touched.why or f"The replica still has to apply {in_words(backlog)}, which can change it."
                found[lookup] = replace(found[lookup], why=why)
    return [found[lookup] for lookup in lookups], backlog


def _backlog(replica: Replica, reached: GtidSet, clock: Clock) -> GtidSet:
    """Return what the replica has not applied of ``reached``, once a running one had some time for it."""
    deadline = clock.now() + WAIT
    while (left := reached - replica.executed()) and clock.now() < deadline:
        if not any(channel.applier_running for channel in replica.channels()):
            break
        clock.sleep(0.1)
    return left


def _row(
    tables: Mapping[TableName, Table], lookup: Lookup, ours: Answers, theirs: Answers, lacking: set[TableName]
) -> ErrantRow:
    there = (
        NotRead(f"the source has no table {lookup.table}")
        if lookup.table in lacking
        else next(iter(theirs[lookup]), None)
    )
    return ErrantRow(tables[lookup.table], lookup, (), next(iter(ours[lookup]), None), there)


def _once(rows: Sequence[ErrantRow]) -> Iterator[ErrantRow]:
    """Yield each row once: two spellings of a key can be one row under its collation."""
    seen = set[tuple[TableName, object, object]]()
    for row in rows:
        place = (row.lookup.table, row.replica_row, row.source_row)
        if row.replica_row is None and not isinstance(row.source_row, tuple):
            yield row
        elif place not in seen:
            seen.add(place)
            yield row


def _compares_texts(table: Table) -> bool:
    """Return whether two spellings can be one key, as only the server knows."""
    key = table.identity
    return key is None or any(table.column(name).charset is not None for name in key.columns)


def _touched(source: Server, replica: Replica, backlog: GtidSet, tables: Mapping[TableName, Table]) -> _Touched:
    """Read the backlog from the source's binlog, and say which rows of the tables it changes."""
    changes: list[RowChange] = []
    names: dict[TableName, tuple[str, ...]] = {}
    altered: set[TableName] = set()
    last: Transaction | None = None
    much = f"The replica still has to apply {in_words(backlog)}"
    try:
        for one in source.readable(backlog):
            if not isinstance(one, Transaction):
                return _Touched(why=f"{much}, among them {one.gtid}: {one.why}")
            for name in dict.fromkeys(change.table for change in one.changes):
                if names.setdefault(name, one.column_names[name]) != one.column_names[name]:
                    altered.add(name)
            changes += one.changes
            last = one
            if len(changes) > BACKLOG_ROWS:
                return _Touched(why=f"{much}, with more rows than are read here ({BACKLOG_ROWS:,}).")
    except ReplicationError as reason:
        return _Touched(why=f"{much}, which could not be read: {reason.message}")
    if last is None:
        return _Touched(why=f"{much}, which the source's binlog does not have.")
    defined = definitions_of(replica, replace(last, changes=tuple(changes), column_names=names))
    mine = {name: table for name, table in defined.tables.items() if name in tables and name not in altered}
    changed = {change.table for change in changes}
    whole = {name for name in tables if name in changed and (name not in mine or _compares_texts(tables[name]))}
    parents = {change.table for change in changes if change.before is not None}
    whole |= {
        name
        for name, table in tables.items()
        if any(key.parent in parents and {key.on_delete, key.on_update} & PASSES_ON for key in table.foreign_keys)
    }
    rows = (lookup for change in defined.transaction.changes if change.table in mine for lookup in _named(change, mine))
    return _Touched(frozenset(rows), frozenset(whole))
