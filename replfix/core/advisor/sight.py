"""Whose rows reach which writer, and where the counters are when all of them have arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from replfix.core.advisor.node import Node
from replfix.core.advisor.survey import Survey
from replfix.core.advisor.writers import upstream
from replfix.core.schema.auto_increment import Counter
from replfix.core.schema.table import TableName


@dataclass(frozen=True, slots=True)
class CounterView:
    """What each writer sees of the others.

    ``seen``: for each writer the others whose rows reach it; ``met``: pairs whose rows reach one server; both by
    ``Node.uuid``. ``tables``: those with an AUTO_INCREMENT column on every writer, the most written to first.
    ``raised``: for each writer the tables in which writers that it does not see have given numbers that it may still
    give, and a number above all of these.
    """

    nodes: tuple[Node, ...]
    seen: Mapping[str, frozenset[str]]
    met: frozenset[frozenset[str]]
    tables: tuple[TableName, ...]
    raised: Mapping[str, Mapping[TableName, int]]

    @property
    def mutual(self) -> bool:
        """Each of them has the rows of all others, in the end."""
        return all(len(seen) == len(self.nodes) - 1 for seen in self.seen.values())

    def sources(self, node: Node) -> tuple[Node, ...]:
        """Return the writers whose rows reach that node."""
        return tuple(other for other in self.nodes if other.uuid in self.seen[node.uuid])

    def stands(self, node: Node, table: TableName) -> int:
        """Return the counter when all that reaches the node has arrived, and it was moved where it has to be."""
        arrived = max(at_least(each, table) for each in (node, *self.sources(node)))
        return max(arrived, self.raised[node.uuid].get(table, 1))


def look(survey: Survey, nodes: Sequence[Node]) -> CounterView:
    """``nodes`` are the writers."""
    writing = {node.uuid for node in nodes}
    reached = {node.uuid: (upstream(survey, node.uuid) | {node.uuid}) & writing for node in survey.nodes}
    seen = {node.uuid: reached[node.uuid] - {node.uuid} for node in nodes}
    pairs = {frozenset(pair) for those in set(reached.values()) for pair in combinations(sorted(those), 2)}
    raised = {
        node.uuid: dict(_behind(node, [o for o in nodes if frozenset((node.uuid, o.uuid)) in pairs
                                       and o.uuid not in seen[node.uuid]]))
        for node in nodes
    }  # fmt: skip
    return CounterView(tuple(nodes), seen, frozenset(pairs), tuple(_shared(nodes)), raised)


def counter(node: Node, table: TableName) -> Counter | None:
    """Return the node's counter of that table, None without one."""
    return node.tables[table].counter if table in node.tables else None


def at_least(node: Node, table: TableName) -> int:
    """Return what a counter gives next, or more; 1 where there is none."""
    found = counter(node, table)
    return 1 if found is None else max(found.next_value or 1, (found.highest or 0) + 1)


def _behind(node: Node, unseen: Sequence[Node]) -> Iterator[tuple[TableName, int]]:
    for table in sorted(node.tables) if unseen else ():
        own = counter(node, table)
        highest = max(at_least(other, table) for other in unseen)
        # A tenth above it, and at least a thousand: the others were written to until their writes were stopped.
        above = -(-max(highest * 11 // 10, highest + 1000) // 1000) * 1000 + 1
        if own is None or highest == 1 or at_least(node, table) >= above:
            continue
        if own.limit is None or above < own.limit:
            yield table, above


def _shared(nodes: Sequence[Node]) -> list[TableName]:
    if not nodes:
        return []
    found = [table for table in nodes[0].tables if all(counter(node, table) is not None for node in nodes)]
    inserted = {
        table: sum(n.log.inserts[table].rows for n in nodes if n.log is not None and table in n.log.inserts)
        for table in found
    }
    return sorted(found, key=lambda table: (-inserted[table], table))
