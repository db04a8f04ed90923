"""What a repair wrote on the source, to be taken back there: what of it is possible, seen from both servers.

It is logged, and comes to the replica by replication: so the replica has to have the rows just as the source does, with
nothing of its own in their way, or the undo itself would stop it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from replfix.core.conflicts.foreign_keys.child_rows import released_keys
from replfix.core.plan.plan import Plan, SourceWrite, Step
from replfix.core.plan.recorded_plan import Document, read_steps, tables_named
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies.source_write import reaching
from replfix.core.strategies.undo_plan import in_the_way, orphaned, questions, turned_round
from replfix.errors import Refused
from replfix.ports import Replica, Server
from replfix.workflow.investigate.foreign_keys.plan_children import referencing
from replfix.workflow.investigate.source.check_source import obstacles, sources_of
from replfix.workflow.operation import Operation

Tables = dict[TableName, Table]


@dataclass(frozen=True, slots=True)
class SourceUndo:
    """The part of an undo on the source. ``mirrored`` are the steps of ``part`` as they will come to the replica."""

    channel: ChannelStatus
    tables: Tables  # as the source defines them
    part: SourceWrite
    mirrored: tuple[Step, ...]
    in_the_way: tuple[str, ...]


def source_half(operation: Operation, plan: Plan, document: Document, ours: Tables) -> SourceUndo:
    """Return what takes back what was written there, as the ``document`` says. Refused where that is not possible.

    ``ours``: the replica's tables, which gain those of children.
    """
    channel = _running(operation.replica, plan)
    source = operation.source_of(channel)
    if (now := source.uuid()) != document.get("server_uuid"):
        raise Refused(
            f"The repair wrote on the server {document.get('server_uuid')}, and the source is {now} now.",
            "Nothing was changed. The record of that write has the SQL that takes it back.",
        )
    theirs = {name: source.table(name) for name in tables_named(document)}
    if gone := [str(name) for name, table in theirs.items() if table is None]:
        raise Refused(f"The source has no table {', '.join(gone)} any more.", "Nothing was changed.")
    steps = turned_round(read_steps(document, theirs), known := _known(theirs))
    mirrored = turned_round(read_steps(document, dict(ours)), ours)
    late = " The channel is behind: it may come to that yet." if channel.lag_seconds or channel.delay_seconds else ""
    reasons = tuple(obstacles(source, sources_of(source), channel, plan.server_uuid)) or (
        *(f"On the source: {reason}" for reason in _standing(source, steps, dict(known))),
        *(f"On the replica: {reason}{late}" for reason in _standing(operation.replica, mirrored, ours)),
    )
    part = SourceWrite(now, steps)
    try:
        part = reaching(part, (source.reach(part.writes),))
    except Refused as error:
        reasons = (*reasons, error.message)
    return SourceUndo(channel, known, part, mirrored, tuple(dict.fromkeys(reasons)))


def _running(replica: Replica, plan: Plan) -> ChannelStatus:
    channel = replica.status().channel(plan.channel)
    if channel is None:
        raise Refused(
            "The channel of that repair does not exist any more: what is taken back on the source would not come here.",
            "Nothing was changed. The records of that repair have the SQL that takes it back.",
        )
    if not channel.healthy:
        raise Refused(
            "The channel does not run: what is taken back on the source would not come here, and that comes first.",
            "Nothing was changed. 'replfix status' shows why it does not run; 'replfix resolve' resolves a conflict.",
        )
    return channel


def _known(tables: dict[TableName, Table | None]) -> Tables:
    return {name: table for name, table in tables.items() if table is not None}


def _standing(server: Server, steps: Sequence[Step], tables: Tables) -> Iterator[str]:
    """Yield what is in the way: rows that changed since, keys that are taken, children that would lose their parent."""
    yield from in_the_way(steps, tables, server.find(tables, questions(steps, tables)))
    children = referencing(server, tables, released_keys(steps, tables))
    yield from orphaned(steps, children, tables)
