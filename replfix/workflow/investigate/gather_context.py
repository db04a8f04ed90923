"""Looks around a conflict: what both binlogs say of its rows, how the two servers differ, what else writes there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from replfix.core.binlog.column_mapping import alike, there
from replfix.core.conflicts import already_applied
from replfix.core.conflicts.reconcile import Conflict, ConflictKind, Identity
from replfix.core.conflicts.row_history import History, compiled, mentions
from replfix.core.incident.authors import authors
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.incident_context import IncidentContext, Side
from replfix.core.incident.parents import parent_rows
from replfix.core.incident.provenance import rows_in_question
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.lookup import Answers, Lookup, by_identity, by_key
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Column, Table, TableName
from replfix.core.sql.table_facts import TABLE_FACTS
from replfix.errors import PrivilegeError, ReplicationError, ServerError, Unreadable
from replfix.ports import Replica, Server
from replfix.workflow.investigate import read_history
from replfix.workflow.investigate.compare_rows import definitions_of

SETTINGS = (
    "binlog_rows_query_log_events",
    "event_scheduler",
    "innodb_flush_log_at_trx_commit",
    "relay_log_recovery",
    "replica_skip_errors",
    "sync_binlog",
)

RUN_READ = 5
"""How many transactions after the failing one are compared with the replica's rows."""

CONNECTIONS_ASKED = 5
"""Of how many connections that wrote on the replica it is asked who they are."""

_Answer = TypeVar("_Answer")


def gather_context(replica: Replica, source: Server, evidence: Evidence) -> Evidence:
    """Return the evidence with its context. What cannot be read is left empty, or noted in ``unknowns``."""
    names = _tables_in_question(evidence)
    if not names:
        return evidence
    ours, theirs = _side(replica, names), _side(source, names)
    wrote = authors(evidence)
    around = IncidentContext(
        replica=ours,
        source=theirs,
        parents=_parents(replica, ours, theirs),
        twins=_twins(source, theirs, evidence),
        also_there=_also_there(source, theirs, evidence),
        settings=_value_or_default(dict, lambda: replica.variables(SETTINGS)),
        otherwise=dict(_otherwise(replica, names, evidence)),
        run=_run(replica, source, evidence),
        authors={
            thread: who
            for thread in _first(a.transaction.thread_id for a in wrote)
            if (who := _value_or_default(_no_account, partial(replica.connected_as, thread))) is not None
        },
    )
    known = {id(a.conflict) for a in wrote}
    rows = frozenset(row for conflict, _, row, _ in rows_in_question(evidence) if id(conflict) not in known)
    unknowns: list[str] = []
    if rows and evidence.status.executed:
        around = _with_logs(replica, source, evidence, rows, around, unknowns)
    return replace(evidence, around=around, unknowns=(*evidence.unknowns, *unknowns))


def gather_definitions(replica: Replica, source: Server, evidence: Evidence) -> Evidence:
    """Do as ``gather_context``, with that part only on which a plan depends: definitions, and the rows of duplicates."""
    names = _tables_in_question(evidence)
    ours, theirs = (
        Side(tables={name: table for name in names if (table := server.table(name)) is not None})
        for server in (replica, source)
    )
    around = IncidentContext(
        replica=ours,
        source=theirs,
        also_there=_also_there(source, theirs, evidence),
        otherwise=dict(_otherwise(replica, names, evidence)),
    )
    return replace(evidence, around=around)


def _value_or_default(empty: Callable[[], _Answer], ask: Callable[[], _Answer]) -> _Answer:
    """Return the answer, or the default when the server or the account's privileges do not give one."""
    try:
        return ask()
    except (ServerError, PrivilegeError, ReplicationError):
        return empty()


def _no_account() -> str | None:
    return None


def _first(threads: Iterable[int | None]) -> list[int]:
    return [thread for thread in dict.fromkeys(threads) if thread is not None][:CONNECTIONS_ASKED]


def _tables_in_question(evidence: Evidence) -> tuple[TableName, ...]:
    found = evidence.reconciliation
    names = dict.fromkeys(conflict.table for conflict in found.conflicts) if found is not None else {}
    if found is not None:  # a parent that is put back is a row of another table
        names |= dict.fromkeys(repair.table for repair in found.repairs if repair.target is not None)
    stopped = evidence.stopped_on
    if stopped is not None:
        names[TableName(*stopped)] = None
    return tuple(names)


def _side(server: Server, names: Iterable[TableName]) -> Side:
    tables = {name: table for name in names if (table := server.table(name)) is not None}
    side = Side(tables=tables)
    with suppress(ServerError, PrivilegeError):
        side = replace(
            side,
            counters={n: counter for n, t in tables.items() if (counter := server.counter(t)) is not None},
            facts={(fact.name, name): server.fact(fact, name) for fact in TABLE_FACTS for name in tables},
            programs={n: tuple(p for p in server.programs(n) if mentions(p.body, n)) for n in tables},
        )
    return side


def _parents(replica: Replica, ours: Side, theirs: Side) -> dict[TableName, Table]:
    keys = (key for side in (ours, theirs) for table in side.tables.values() for key in table.foreign_keys)
    found = {name: replica.table(name) for name in dict.fromkeys(key.parent for key in keys)}
    return {name: table for name, table in found.items() if table is not None}


def _twins(source: Server, theirs: Side, evidence: Evidence) -> tuple[tuple[RowImage, ...], ...]:
    """Return, for each conflict, the source's rows that have the replica row's key under the source's collations."""
    if evidence.reconciliation is None:
        return ()
    asked = [_twin(theirs, evidence, conflict) for conflict in evidence.reconciliation.conflicts]
    lookups = tuple(dict.fromkeys(one for one in asked if one is not None))
    answers: Answers = _value_or_default(dict, lambda: source.find(theirs.tables, lookups))
    return tuple(answers.get(one, ()) if one is not None else () for one in asked)


def _also_there(source: Server, theirs: Side, evidence: Evidence) -> tuple[RowImage | None, ...]:
    """Return, for each duplicate, the source's row now that has the name of the replica's."""
    if evidence.reconciliation is None:
        return ()
    alike_there = {name: table for name, table in evidence.tables.items() if alike(theirs.tables.get(name), table)}
    asked = [
        by_identity(alike_there[c.table], c.replica_row)
        if c.kind is ConflictKind.DUPLICATE and c.replica_row is not None and c.table in alike_there
        else None
        for c in evidence.reconciliation.conflicts
    ]
    lookups = tuple(dict.fromkeys(one for one in asked if one is not None))
    answers: Answers = _value_or_default(dict, lambda: source.find(there(alike_there), lookups)) if lookups else {}
    return tuple(next(iter(answers.get(one, ())), None) if one is not None else None for one in asked)


def _twin(theirs: Side, evidence: Evidence, conflict: Conflict) -> Lookup | None:
    table, ours = theirs.tables.get(conflict.table), evidence.tables[conflict.table]
    row = conflict.replica_row
    if conflict.kind is not ConflictKind.DUPLICATE or table is None or row is None:
        return None
    if not _same_columns(table, ours):
        return None
    key = next((k for k in table.unique_keys if k.name == conflict.keys[0]), table.identity)
    return by_key(table, key, row) if key is not None else None


def _same_columns(one: Table, other: Table | None) -> bool:
    return other is not None and [c.name for c in one.columns] == [c.name for c in other.columns]


def _otherwise(
    replica: Replica, names: Iterable[TableName], evidence: Evidence
) -> Iterator[tuple[TableName, Column | None]]:
    for name in names:
        table = evidence.tables.get(name)
        if evidence.transaction is None or table is None or not any(c.generated for c in table.columns):
            continue
        changes = [change for change in evidence.transaction.changes if change.table == name]
        images = [image for change in changes for image in (change.before, change.after) if image is not None]
        if not images:
            continue
        with suppress(ServerError, Unreadable):  # not known
            yield name, replica.worked_out_otherwise(table, images)


def _run(replica: Replica, source: Server, evidence: Evidence) -> int:
    """Return with how many transactions, from the failing one on, the replica's rows already agree."""
    first = evidence.transaction
    if first is None or first.gtid is None or first.run is not None or not any(evidence.applied):
        return 0
    executed, theirs = evidence.status.executed, source.executed()
    if executed.orders(theirs):
        waiting = theirs - executed - executed.single(first.gtid)
        behind = partial(source.transactions, waiting.oldest(RUN_READ), RUN_READ)
    else:
        behind = partial(source.transactions_from, first.id.end, RUN_READ)
    read = [first]
    tables = dict(evidence.tables)
    with suppress(ReplicationError, ServerError):  # as far as they can be read
        for one in behind():
            defined = definitions_of(replica, one)
            if defined.mismatches:
                raise Unreadable(" ".join(defined.mismatches.values()))
            tables.update(defined.tables)
            read.append(defined.transaction)
    answers = replica.find(tables, already_applied.questions(read, tables))
    return already_applied.run_length(read, tables, answers)


def _with_logs(
    replica: Replica,
    source: Server,
    evidence: Evidence,
    rows: frozenset[Identity],
    around: IncidentContext,
    unknowns: list[str],
) -> IncidentContext:
    executed = evidence.status.executed
    tables = {**around.parents, **evidence.tables}
    wanted = rows | parent_rows(evidence, around)
    ours = read_history.search(replica, executed, rows, wanted, tables, unknowns)
    # Rows of a table that has other columns on the replica are named and compared as there.
    as_ours = {
        name: table for name, table in around.source.tables.items() if _same_columns(table, evidence.tables.get(name))
    }
    known = {
        **around.parents,
        **{n: evidence.tables[n] for n in around.source.tables if n in evidence.tables},
        **as_ours,
    }
    theirs = read_history.search(source, executed & source.executed(), rows, wanted, known, unknowns)
    return replace(
        around,
        logs_all=replica.logs_all(),
        replica_log=_merge_replica_log(replica, executed, ours, theirs, rows, evidence.tables),
        source_log=theirs,
    )


def _merge_replica_log(
    replica: Replica,
    executed: GtidSet,
    ours: History,
    theirs: History,
    rows: frozenset[Identity],
    tables: Mapping[TableName, Table],
) -> History:
    """Add what the replica's log has of the source's newest changes of those rows, however far back they are."""
    wanted = {touch.by.gtid for row in rows if (touch := theirs.last(row)) is not None}
    asked = executed.exactly(gtid for gtid in wanted if ours.of(gtid) is None) - ours.absent
    if not asked:
        return ours
    found = _value_or_default(
        _nothing, lambda: compiled(replica.readable(asked), asked, asked, rows, tables, read_history.MOST_ROWS)
    )
    if found is None:
        return ours
    return replace(ours, logged={**found.logged, **ours.logged}, absent=ours.absent | found.absent)


def _nothing() -> History | None:
    return None
