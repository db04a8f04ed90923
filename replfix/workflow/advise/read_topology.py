"""Reads a topology for the advisor: the servers that are named, and those that they read from. Changes nothing.

The order matters while rows come in. Highest ids are read of all servers first, the counters after that: a counter only
goes up, so one that is below a row then was below it when the row was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from replfix.core.advisor.node import KeyTable, LogSample, Node
from replfix.core.advisor.recommend import conclude
from replfix.core.advisor.survey import Edge, Report, Survey, Taken
from replfix.core.advisor.writers import upstream, writers
from replfix.core.replication.replica_status import ChannelStatus
from replfix.core.schema.table import TableName
from replfix.errors import PrivilegeError, ReplfixError
from replfix.ports import KeySpaces

MOST_SERVERS = 32
_ROUNDS = 3  # counters that move on while rows are counted

Named = tuple[str, KeySpaces]
SourceOf = Callable[[KeySpaces, ChannelStatus], Named]
"""The source of a channel with the name that it has in the configuration, else its address. Raises as connecting does."""


def advise(
    given: Sequence[Named],
    source_of: SourceOf,
    now: datetime,
    progress: Callable[[str], None],
    *,
    all_of_them: bool = True,
) -> Report:
    """Read the topology and return the survey's findings.

    ConnectError when a server that was given cannot be reached; without ``all_of_them`` when none of them can. What
    else cannot be read is an unknown.
    """
    return conclude(survey(given, source_of, now, progress, all_of_them=all_of_them))


def survey(
    given: Sequence[Named],
    source_of: SourceOf,
    now: datetime,
    progress: Callable[[str], None],
    *,
    all_of_them: bool = True,
) -> Survey:
    """Read the servers in that order; ``progress`` is called with each step."""
    unknowns: list[str] = []
    servers: dict[str, KeySpaces] = {}
    nodes: list[Node] = []
    for name, server, channels in _reached(given, source_of, unknowns, all_of_them=all_of_them):
        progress(f"Reading {name} …")
        node = server.node(name, channels)
        servers[node.uuid] = server
        nodes.append(replace(node, log=_log(server, node, unknowns)))
        unknowns += node.unknowns
        if any(channel.group_replication for channel in channels):
            unknowns.append(f"{name} is a member of a replication group: which of its members write is not looked at.")
    edges = tuple(
        Edge(c.source_uuid, node.uuid, c.name, c.running, c.filtered)
        for node in nodes
        for c in node.channels
        if c.source_uuid
    )
    nodes = [_with_counters(servers[node.uuid], node, unknowns) for node in nodes]
    unknowns += [
        f"Channel {edge.channel!r} of {_named(nodes, edge.replica)} has filters: which tables' rows they leave out is unknown."
        for edge in edges
        if edge.filtered
    ]
    found = Survey(now, tuple(sorted(nodes, key=lambda n: n.name)), edges)
    taken = tuple(_all_taken(found, servers, unknowns))
    return replace(found, taken=taken, unknowns=tuple(dict.fromkeys(unknowns)))


def _named(nodes: Sequence[Node], uuid: str) -> str:
    return next((n.name for n in nodes if n.uuid == uuid), uuid)


def _reached(
    given: Sequence[Named], source_of: SourceOf, unknowns: list[str], *, all_of_them: bool
) -> Iterator[tuple[str, KeySpaces, tuple[ChannelStatus, ...]]]:
    """Yield the servers that were given and those that they read from, each once, with its channels."""
    known: set[str] = set()
    waiting = list(given)
    left = len(waiting)  # of those that were given
    while waiting:
        name, server = waiting.pop(0)
        left -= 1
        try:
            uuid = server.uuid()
            if uuid in known:
                continue
            channels = _channels(name, server, unknowns)
        except ReplfixError as error:
            if left >= 0 and (all_of_them or (left == 0 and not known)):
                raise
            unknowns.append(f"{name} was not read: {error.message}")
            continue
        if len(known) >= MOST_SERVERS:
            unknowns.append(f"{name} was not read: {MOST_SERVERS} servers were.")
            continue
        known.add(uuid)
        yield name, server, channels
        for channel in channels:
            if channel.source_uuid in known or channel.group_replication:
                continue
            try:
                waiting.append(source_of(server, channel))
            except ReplfixError as error:
                unknowns.append(
                    f"The source {channel.source_host}:{channel.source_port} of {name} was not read: {error.message}"
                )


def _channels(name: str, server: KeySpaces, unknowns: list[str]) -> tuple[ChannelStatus, ...]:
    try:
        return server.channels()
    except PrivilegeError as error:
        unknowns.append(
            f"What {name} reads from is not known, which takes REPLICATION CLIENT (of MariaDB REPLICA MONITOR) and GRANT "
            f"SELECT ON performance_schema.*: {error.message}"
        )
        return ()


def _log(server: KeySpaces, node: Node, unknowns: list[str]) -> LogSample | None:
    try:
        return server.log(node)
    except ReplfixError as error:
        hint = f" {error.hint}" if error.hint else ""
        unknowns.append(
            f"What {node.name} itself writes is not known, its binary log was not read: {error.message}{hint}"
        )
        return None


def _with_counters(server: KeySpaces, node: Node, unknowns: list[str]) -> Node:
    try:
        following: Mapping[TableName, int] = server.next_values()
    except ReplfixError as error:
        unknowns.append(f"The counters of {node.name} are not known: {error.message}")
        return node
    return replace(node, tables={name: _counted(table, following.get(name)) for name, table in node.tables.items()})


def _counted(table: KeyTable, following: int | None) -> KeyTable:
    return table if table.counter is None else replace(table, counter=replace(table.counter, next_value=following))


def _all_taken(found: Survey, servers: Mapping[str, KeySpaces], unknowns: list[str]) -> Iterator[Taken]:
    for writer in writers(found):
        for other in found.nodes:
            if other.uuid == writer.uuid:
                continue
            if writer.uuid not in upstream(found, other.uuid) and other.uuid not in upstream(found, writer.uuid):
                continue
            for name in sorted(writer.tables):
                try:
                    taken = _taken(writer, other, name, servers)
                except ReplfixError as error:
                    unknowns.append(f"Ids of {name} on {other.name} were not counted: {error.message}")
                    continue
                if taken is not None:
                    yield taken


def _taken(writer: Node, other: Node, name: TableName, servers: Mapping[str, KeySpaces]) -> Taken | None:
    ours, theirs = writer.tables[name], other.tables.get(name)
    if ours.counter is None or theirs is None or theirs.counter is None or not theirs.counter_key:
        return None
    following, highest = ours.counter.next_value, theirs.counter.highest
    if following is None or highest is None:
        return None
    if ours.counter.highest is not None:
        following = max(following, ours.counter.highest + 1)  # a counter at the end of its type is at its last row
    column = theirs.counter.column.name
    rows: tuple[int, int, int] | None = None
    for _ in range(_ROUNDS):
        if highest < following:
            return None
        rows = servers[other.uuid].numbers(name, column, writer.step, following, highest)
        if rows is None:
            return None
        now = max(servers[writer.uuid].next_value(name) or 0, following)
        if rows[2] < now:
            return None  # the writer's own, made meanwhile
        if now == following:
            break
        following = now
    assert rows is not None
    count, lowest, last = rows
    return Taken(name, writer.uuid, other.uuid, following, count, lowest, last)
