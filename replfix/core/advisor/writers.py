"""Who writes in a topology, and where the rows of two writers meet."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from math import gcd

from replfix.core.advisor.node import IncrementSetting, Node
from replfix.core.advisor.survey import Survey
from replfix.core.replication.gtid import GtidSet
from replfix.core.schema.table import TableName


def writers(survey: Survey) -> tuple[Node, ...]:
    """Return the servers that generate keys of their own, by name.

    A server writes when it is open for writes, and either its log has rows of its own, or it is part of a circle. One
    that is read-only now generates none, whatever it wrote before.
    """
    return tuple(sorted((n for n in survey.nodes if _writes(survey, n)), key=lambda n: n.name))


def _writes(survey: Survey, node: Node) -> bool:
    if node.read_only:
        return False
    return (node.log is not None and node.log.transactions > 0) or node.uuid in upstream(survey, node.uuid)


def strays(survey: Survey, node: Node) -> GtidSet:
    """Return what a server wrote itself and none of its sources has; nothing where a source was not read, or in a circle.

    In a circle it is on its way to them.
    """
    known = {n.uuid: n for n in survey.nodes}
    sources = [known[c.source_uuid] for c in node.channels if c.source_uuid in known]
    if not sources or len(sources) < len(node.channels) or node.uuid in upstream(survey, node.uuid):
        return GtidSet()
    own = node.executed.of_uuid(node.uuid)
    for source in sources:
        own = own - source.executed
    return own


def upstream(survey: Survey, uuid: str) -> frozenset[str]:
    """Return the servers whose transactions reach that one, directly or not; itself where it is part of a circle."""
    found: set[str] = set()
    waiting = [uuid]
    while waiting:
        at = waiting.pop()
        for edge in survey.edges:
            if edge.replica == at and edge.source not in found:
                found.add(edge.source)
                waiting.append(edge.source)
    return frozenset(found)


def meeting(survey: Survey) -> Iterator[tuple[Node, Node]]:
    """Yield each two writers whose transactions reach the same server."""
    reaching = [upstream(survey, node.uuid) | {node.uuid} for node in survey.nodes]
    for one, other in combinations(writers(survey), 2):
        if any(one.uuid in those and other.uuid in those for those in reaching):
            yield one, other


def shared_tables(one: Node, other: Node) -> tuple[TableName, ...]:
    """Return tables that both have, with an AUTO_INCREMENT column."""
    return tuple(
        name
        for name, table in sorted(one.tables.items())
        if table.counter is not None and name in other.tables and other.tables[name].counter is not None
    )


def overlap(one: IncrementSetting, other: IncrementSetting) -> bool:
    """Return whether the two can generate the same number."""
    return (one.residue - other.residue) % gcd(one.increment, other.increment) == 0


def circle_of(survey: Survey, node: Node) -> tuple[Node, ...]:
    """Return that writer and all writers whose rows come together with its own, by name."""
    met = {other.uuid: other for pair in meeting(survey) if node.uuid in {n.uuid for n in pair} for other in pair}
    return tuple(sorted({**met, node.uuid: node}.values(), key=lambda n: n.name))


def circles(survey: Survey) -> tuple[tuple[Node, ...], ...]:
    """Return each group of several writers whose rows come together, once."""
    found = {
        tuple(n.uuid for n in group): group for node in writers(survey) if len(group := circle_of(survey, node)) > 1
    }
    return tuple(found.values())


def neighbours(survey: Survey) -> Iterator[tuple[Node, Node]]:
    """Yield each two servers of which one reads from the other, once."""
    known = {node.uuid: node for node in survey.nodes}
    seen: set[frozenset[str]] = set()
    for edge in survey.edges:
        pair = frozenset((edge.source, edge.replica))
        if len(pair) == 2 and pair not in seen and pair <= known.keys():
            seen.add(pair)
            one, other = sorted((known[uuid] for uuid in pair), key=lambda n: n.name)
            yield one, other
