"""Looks around a conflict that no local write explains: what both binlogs say of its rows, and how the servers differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from replfix.core import run
from replfix.core.authors import authors
from replfix.core.evidence import Evidence
from replfix.core.gtid import GtidSet
from replfix.core.history import History, compiled
from replfix.core.provenance import rows_in_question
from replfix.core.reconcile import Identity
from replfix.core.surroundings import Surroundings
from replfix.core.table import Table, TableName
from replfix.errors import ConnectError, ReplicationError, ServerError, Unreadable
from replfix.ports import Replica, Server
from replfix.workflow import history

SETTINGS = ("replica_skip_errors", "relay_log_recovery", "sync_binlog", "innodb_flush_log_at_trx_commit")


RUN_READ = 5
"""How many transactions behind the failing one are held against the replica's rows."""


def looked_around(replica: Replica, source: Server, evidence: Evidence) -> Evidence:
    """The evidence with its surroundings; unchanged when there is nothing left to explain."""
    if evidence.reconciliation is None or not evidence.reconciliation.conflicts:
        return evidence
    known = {id(a.conflict) for a in authors(evidence)}
    rows = frozenset(row for conflict, _, row, _ in rows_in_question(evidence) if id(conflict) not in known)
    unknowns: list[str] = []
    around = Surroundings(source_tables=_source_tables(source, evidence))
    around = replace(around, run=_run(replica, source, evidence))
    if rows and evidence.status.executed:
        around = _with_logs(replica, source, evidence, rows, around, unknowns)
    return replace(evidence, around=around, unknowns=(*evidence.unknowns, *unknowns))


def _run(replica: Replica, source: Server, evidence: Evidence) -> int:
    """How many transactions, from the failing one on, the replica stands as if it had applied."""
    first = evidence.transaction
    if first is None or first.gtid is None or not any(evidence.applied):
        return 0
    waiting = source.executed() - evidence.status.executed - evidence.status.executed.single(first.gtid)
    read = [first]
    tables = dict(evidence.tables)
    try:
        for one in source.transactions(waiting.oldest(RUN_READ), RUN_READ):
            for name in {change.table for change in one.changes} - tables.keys():
                table = replica.table(name)
                if table is None or len(table.columns) != len(one.column_names[name]):
                    raise Unreadable(f"{name} is another table on the replica.")
                tables[name] = table
            read.append(one)
    except (ReplicationError, ServerError):
        pass  # as far as they can be read
    answers = replica.find(tables, tuple(dict.fromkeys(run.questions(read, tables))))
    return run.run_length(read, tables, answers)


def _source_tables(source: Server, evidence: Evidence) -> dict[TableName, Table]:
    found = {name: source.table(name) for name in evidence.tables}
    return {name: table for name, table in found.items() if table is not None}


def _with_logs(
    replica: Replica,
    source: Server,
    evidence: Evidence,
    rows: frozenset[Identity],
    around: Surroundings,
    unknowns: list[str],
) -> Surroundings:
    executed = evidence.status.executed
    logs_all = replica.logs_all()
    ours = history.search(replica, executed, rows, evidence.tables, unknowns)
    theirs = history.search(source, executed & source.executed(), rows, around.source_tables, unknowns)
    return replace(
        around,
        logs_all=logs_all,
        settings=replica.variables(SETTINGS),
        replica_log=_with(replica, executed, ours, theirs, rows, evidence.tables),
        source_log=theirs,
    )


def _with(
    replica: Replica,
    executed: GtidSet,
    ours: History,
    theirs: History,
    rows: frozenset[Identity],
    tables: Mapping[TableName, Table],
) -> History:
    """What the replica's log holds of the source's newest changes of those rows, however far back they are."""
    wanted = {touch.by.gtid for row in rows if (touch := theirs.last(row)) is not None}
    asked = executed.exactly(gtid for gtid in wanted if ours.of(gtid) is None) - ours.absent
    if not asked:
        return ours
    try:
        found = compiled(replica.readable(asked), asked, asked, rows, tables, history.MOST_ROWS)
    except (ReplicationError, ConnectError, ServerError):
        return ours
    if found is None:
        return ours
    return replace(ours, logged=(*found.logged, *ours.logged), absent=ours.absent | found.absent)
