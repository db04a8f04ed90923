"""Asks the source whether and where displaced rows can be written there: ``core/incident/source_feasibility.py``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from replfix.core.binlog.column_mapping import there
from replfix.core.conflicts.foreign_keys.child_rows import Child, held_by, parents_wanted
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.source_feasibility import MOST, Named, SourceFeasibility, questions
from replfix.core.plan.plan import Step
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.rows.lookup import by_identity
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.filters import NO_FILTERS
from replfix.core.schema.table import Table, TableName
from replfix.errors import Refused, ReplfixError
from replfix.ports import Replica, Server
from replfix.workflow.investigate.foreign_keys.plan_children import GENERATIONS, children_on

_VARIABLES = ("read_only", "super_read_only", "log_bin", "group_replication_group_name")
_ON = ("ON", "1", "YES")


def source_side(replica: Replica, source: Server, evidence: Evidence) -> Evidence:
    """Return the evidence with ``on_source``, and with the tables that reference its children or could.

    Unchanged where no row is displaced. What cannot be read is an obstacle, never an error.
    """
    found, uuid = evidence.reconciliation, evidence.source_uuid
    if found is None:
        return evidence
    rows = tuple((repair.table, repair.current) for repair in found.repairs if repair.current is not None)
    if not rows:
        return evidence
    if len(evidence.circle) > 1:
        return replace(evidence, on_source=SourceFeasibility(uuid, (_IN_A_CIRCLE.format(len(evidence.circle) + 1),)))
    ours = dict(evidence.tables)
    side = side_of(replica, source, uuid, evidence.channel, evidence.status.server_uuid, ours, rows)
    if not side.children:
        return replace(evidence, on_source=side)
    return replace(evidence, on_source=side, tables=ours)


_IN_A_CIRCLE = (
    "In a circle of {} servers a row that is displaced here can be another server's, and be on its way there still: written on the source as "
    "well, it would be there twice. Use source-wins; once all channels run, 'replfix undo ID' of that repair prints what keeps the row."
)


def side_of(
    replica: Replica,
    source: Server,
    uuid: str,
    channel: ChannelStatus,
    replica_uuid: str,
    ours: dict[TableName, Table],
    rows: tuple[Named, ...],
    *,
    closed: bool = False,
) -> SourceFeasibility:
    """Return whether and where those displaced rows can be written on the source.

    ``uuid``: the source's. ``ours``: the replica's tables, which gain those of children. ``closed``: what is written on
    the source reaches its own sources through this replica.
    """
    try:
        return _side(replica, source, uuid, channel, replica_uuid, ours, rows, closed)
    except ReplfixError as error:
        said = " ".join(filter(None, (error.message, error.hint)))
        return SourceFeasibility(
            uuid, obstacles=(f"What has to be known before writing on the source could not be read: {said}",)
        )


def _side(
    replica: Replica,
    source: Server,
    uuid: str,
    channel: ChannelStatus,
    replica_uuid: str,
    ours: dict[TableName, Table],
    rows: tuple[Named, ...],
    closed: bool,
) -> SourceFeasibility:
    origins = sources_of(source)
    if reasons := tuple(_obstacles(source, () if closed else origins, uuid, channel, replica_uuid, len(rows))):
        return SourceFeasibility(uuid, reasons)
    children = _only_here(replica, source, ours, rows)
    rows = (*rows, *((child.foreign_key.child, child.row) for child in children))
    tables = {name: table for name in dict.fromkeys(n for n, _ in rows) if (table := source.table(name)) is not None}
    if reasons := tuple(dict.fromkeys(_other_tables(rows, tables, ours))):
        return SourceFeasibility(uuid, reasons)
    steps = source.auto_increment()
    holders = source.find(tables, questions(rows, tables))
    names = {
        lookup for asked, held in holders.items() for row in held if (lookup := by_identity(tables[asked.table], row))
    }
    return SourceFeasibility(
        uuid,
        mutual=bool(origins),
        tables=tables,
        holders=holders,
        here=replica.find(ours, tuple(names)),
        beyond=_beyond(replica, source, tables, ours, steps),
        reach={
            write: source.reach([write])
            for name, table in tables.items()
            for write in dict.fromkeys((name, trigger.event) for trigger in table.triggers)
        },
        children=children,
        increment=steps.increment,
    )


def sources_of(server: Server) -> tuple[str, ...]:
    """Return the servers of which it is itself a replica, by uuid; by address where that is unknown yet."""
    return tuple(c.source_uuid or f"{c.source_host}:{c.source_port}" for c in server.channels())


def _obstacles(
    source: Server, origins: tuple[str, ...], uuid: str, channel: ChannelStatus, replica_uuid: str, rows: int
) -> Iterator[str]:
    if rows > MOST:
        yield f"{rows:,} rows are displaced; at most {MOST:,} are written on the source."
    if channel.source_uuid and channel.source_uuid != uuid:
        yield f"{source.address} is server {uuid}, and the replica reads from {channel.source_uuid}."
    yield from obstacles(source, origins, channel, replica_uuid)


def obstacles(source: Server, origins: tuple[str, ...], channel: ChannelStatus, replica_uuid: str) -> Iterator[str]:
    """Yield why writes on the source would not be possible, or not reach every server; ``origins``: its own sources."""
    if channel.filters != NO_FILTERS:
        yield f"The channel has replication filters ({channel.filters.in_words}), which could keep a row from the replica."
    values = source.variables(_VARIABLES)
    said = {name: value for name in _VARIABLES if (value := values.get(name)) is not None}
    if read_only := [name for name in _VARIABLES[:2] if said.get(name, "").upper() in _ON]:
        yield f"The source {source.address} does not accept writes: {' and '.join(read_only)} is on there."
    if said.get("log_bin", "ON").upper() not in _ON:
        yield f"The source {source.address} keeps no binary log: what is written there would reach nobody."
    if said.get("group_replication_group_name"):
        yield f"The source {source.address} is a member of a Group Replication group."
    if others := [of for of in origins if of != replica_uuid]:
        yield (
            f"The source {source.address} is itself a replica (of {', '.join(others)}): what is written there would be missing "
            "where its own rows come from."
        )
    if blind := source.granted().blind_spots:
        yield (
            f"The account lacks {' and '.join(blind)} ON *.* on the source, without which it hides triggers and foreign keys: "
            "'replfix doctor' shows the GRANT."
        )


def _other_tables(
    rows: Iterable[Named], theirs: Mapping[TableName, Table], ours: Mapping[TableName, Table]
) -> Iterator[str]:
    for name, _ in rows:
        table = theirs.get(name)
        if table is None or [c.name for c in table.columns] != [c.name for c in ours[name].columns]:
            yield f"The source's table {name} is not the replica's: a row of one does not fit the other."
        elif not table.transactional:
            yield f"{name} is a {table.engine} table on the source: nothing written there can be rolled back."
        elif table.identity is None:
            yield f"{name} has no key on the source that names its rows."


def _beyond(
    replica: Replica,
    source: Server,
    theirs: Mapping[TableName, Table],
    ours: Mapping[TableName, Table],
    steps: AutoIncrement,
) -> dict[TableName, int]:
    found: dict[TableName, int] = {}
    for name, table in theirs.items():
        there, here = source.counter(table), replica.counter(ours[name])
        if there is not None and here is not None and (value := free_on_both(there, here, steps)) is not None:
            found[name] = value
    return found


def free_on_both(there: Counter, here: Counter, steps: AutoIncrement) -> int | None:
    """Return the first free value above both servers' rows; none where the source's own next value is above all of them.

    It does not depend on the source's counter, which moves all the time.
    """
    if here.highest is None or (there.next_value is not None and here.highest < there.next_value):
        return None
    above = max(here.highest, there.highest or 0) + 1
    return above + (steps.offset - above) % steps.increment


def _only_here(
    replica: Replica, source: Server, tables: dict[TableName, Table], rows: tuple[Named, ...]
) -> tuple[Child, ...]:
    """Return rows of the replica that reference the given ones, directly or not, and whose names the source does not have.

    ``tables`` gains theirs.
    """
    known, found = set(rows), list[Child]()
    for _ in range(GENERATIONS):
        referencing = children_on(replica, tables, rows)
        children = {(c.foreign_key.child, c.row): c for c in referencing if (c.foreign_key.child, c.row) not in known}
        known.update(children)
        asked = {named: by_identity(tables[named[0]], named[1]) for named in children}
        answers = source.find(
            there(tables), tuple(dict.fromkeys(lookup for lookup in asked.values() if lookup is not None))
        )
        rows = tuple(named for named, lookup in asked.items() if lookup is None or not answers[lookup])
        if not rows:
            return tuple(found)
        found += [children[named] for named in rows]
    raise Refused(f"More than {GENERATIONS} generations of rows reference each other and would have to be deleted.")


def require_parents(server: Server, defined: Mapping[TableName, Table], steps: Sequence[Step]) -> None:
    """Raise Refused where a row would be written on that server without the row that it references.

    ``defined``: the server's tables of the steps.
    """
    tables = dict(defined)
    own = {held.holders for step in steps if step.target for held in held_by(tables[step.table], step.target)}
    for step, key, lookup in parents_wanted(steps, defined):
        parent = tables.get(key.parent) or server.table(key.parent)
        if parent is not None:
            tables[key.parent] = parent
        if parent is None or (lookup not in own and not server.find(tables, (lookup,))[lookup]):
            raise Refused(
                f"A row of {step.table} references {key.parent} ({lookup}) by {key.name}, and {server.address} has no such row."
            )
