"""Whether rows of one server can be given the values of another by statements that hold, and which statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from replfix.core.conflicts.reconcile import RowRepair
from replfix.core.incident.generated_otherwise import written
from replfix.core.plan.plan import SourceWrite, Step, StepKind
from replfix.core.plan.plan_steps import steps_of
from replfix.core.remedies.errant_options import STATEMENTS_FOR, RowWrites, Writes
from replfix.core.remedies.errant_rows import ErrantRow
from replfix.core.replication.replica_status import ChannelStatus, ReplicaStatus
from replfix.core.rows.lookup import by_identity, by_key
from replfix.core.rows.row_diff import same
from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies.source_write import cascade, reaching
from replfix.errors import Refused, ReplfixError
from replfix.ports import Replica, Server
from replfix.workflow.investigate.foreign_keys.plan_children import children_on
from replfix.workflow.investigate.source.check_source import obstacles, require_parents, sources_of


def plan_writes(
    replica: Replica, source: Server, status: ReplicaStatus, channel: ChannelStatus, rows: Sequence[ErrantRow]
) -> Writes:
    """Return the statements for rows that differ, in both directions; what cannot be read is a reason, never an error."""
    below: tuple[str, ...] = ()
    try:
        below = replica.replicas_below()
        ours = {row.table.name: row.table for row in rows}
        theirs = {name: table for name in ours if (table := source.table(name)) is not None}
        others = dict(_others(ours, theirs, source))
        rows = [row for row in rows if row.table.name not in others]
        left_out = tuple(others.values())
        if reason := _too_many(rows) if rows else " ".join(left_out):
            return Writes(RowWrites(reason=reason), RowWrites(reason=reason), below)
        to_source = [RowRepair(row.table.name, _read(row), row.replica_row) for row in rows]
        to_replica = [RowRepair(row.table.name, row.replica_row, _read(row)) for row in rows]
        against = " ".join(obstacles(source, sources_of(source), channel, status.server_uuid))
        there = RowWrites(reason=against) if against else _written(source, theirs, to_source, may_fire=True)
        here = _written(replica, ours, to_replica, may_fire=False)
        return Writes(replace(there, left_out=left_out), replace(here, left_out=left_out), below)
    except ReplfixError as error:
        nothing = RowWrites(reason=f"What has to be known for that could not be read: {error.message}")
        return Writes(nothing, nothing, below)


def _too_many(rows: Sequence[ErrantRow]) -> str:
    if len(rows) > STATEMENTS_FOR:
        return f"{len(rows):,} rows differ, and statements are printed for at most {STATEMENTS_FOR}. Building the replica anew is safer."
    return ""


def _read(row: ErrantRow) -> RowImage | None:
    return None if isinstance(row.source_row, NotRead) else row.source_row


def _others(
    ours: Mapping[TableName, Table], theirs: Mapping[TableName, Table], source: Server
) -> Iterator[tuple[TableName, str]]:
    """Yield tables for whose rows no statement holds, and why."""
    for name, table in ours.items():
        if name not in theirs:
            yield name, f"Rows of {name} are not dealt with: {source.address} has no such table."
        elif [(c.name, c.column_type, written(c)) for c in table.columns] != [
            (c.name, c.column_type, written(c)) for c in theirs[name].columns
        ]:
            yield name, f"Rows of {name} are not dealt with: it is defined differently on {source.address}."
        elif not (table.transactional and theirs[name].transactional):
            yield name, f"Rows of {name} are not dealt with: its changes cannot be rolled back ({table.engine})."
        elif theirs[name].identity is None:
            yield name, f"Rows of {name} are not dealt with: no key on {source.address} names them."


def _written(
    server: Server, tables: Mapping[TableName, Table], repairs: Iterable[RowRepair], *, may_fire: bool
) -> RowWrites:
    steps = tuple(steps_of(repairs, tables))
    try:
        if any(not step.sql for step in steps):
            raise Refused("Not every column of the rows is known.")
        if reason := next((r for step in steps if (r := cascade(step, tables[step.table]))), ""):
            raise Refused(reason)
        if taken := next(_taken(server, tables, steps), ""):
            raise Refused(taken)
        _require_no_children(server, tables, steps)
        require_parents(server, tables, steps)
        part = SourceWrite(server.uuid(), steps)
        part = reaching(part, (server.reach([write]) for write in part.writes))
        if part.fires and not may_fire:
            fired = ", ".join(map(str, part.fires))
            raise Refused(f"Triggers would fire on {server.address}, and change more than these rows: {fired}.")
        return RowWrites(steps, "", tuple(map(str, part.fires)))
    except Refused as refusal:
        return RowWrites(reason=refusal.message)


def _taken(server: Server, tables: Mapping[TableName, Table], steps: Sequence[Step]) -> Iterator[str]:
    """Yield which rows of the server have a unique key of a row that is written, and stay."""
    going = [(step.table, step.current) for step in steps if step.current is not None]
    asked = {
        (step.table, lookup): key.name
        for step in steps
        if step.target is not None
        for key in tables[step.table].unique_keys
        if (lookup := by_key(tables[step.table], key, step.target)) is not None
    }
    found = server.find(tables, tuple(lookup for _, lookup in asked)) if asked else {}
    for (name, lookup), key in asked.items():
        for row in found[lookup]:
            if not any(name == other and same(tables[name], row, image) for other, image in going):
                yield f"Another row of {name} on {server.address} ({by_identity(tables[name], row)}) has the {key} of a row that would be written ({lookup})."


def _require_no_children(server: Server, tables: Mapping[TableName, Table], steps: Sequence[Step]) -> None:
    """Raise Refused where a row would be deleted that other rows of the server reference, and these stay."""
    going = {(step.table, step.current) for step in steps if step.kind is StepKind.DELETE}
    known = dict(tables)
    gone = [(step.table, step.current) for step in steps if step.kind is StepKind.DELETE and step.current is not None]
    for child in children_on(server, known, gone):
        named = (child.foreign_key.child, child.row)
        if named not in going:
            raise Refused(
                f"A row of {named[0]} ({by_identity(known[named[0]], child.row)}) on {server.address} references a row that would be deleted."
            )
