"""The statements that give servers the increment and offset which keep them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replfix.core import sql
from replfix.core.advisor.node import IncrementSetting, Node
from replfix.core.advisor.offsets import choose
from replfix.core.remedies.remedy import Fix

_IN_ORDER = Fix("in the order of the plan of 'replfix advise', which lets nothing collide in between")


def settle(node: Node, step: IncrementSetting) -> tuple[Fix, ...]:
    """Return what sets it now and after a restart, where there is SET PERSIST; else that takes option files."""
    wanted = (("auto_increment_increment", step.increment), ("auto_increment_offset", step.offset))
    if node.persists:
        return (Fix(sql=tuple(sql.persist_number(name, value) for name, value in wanted), where=node.name),)
    lines = ", ".join(f"{name} = {value}" for name, value in wanted)
    in_file = Fix(f"in the option file of {node.name}, under [mysqld]: {lines}")
    if node.step == step:
        return (in_file,)
    return (Fix(sql=tuple(sql.set_global_number(name, value) for name, value in wanted), where=node.name), in_file)


def settle_all(writers: Sequence[Node]) -> tuple[Fix, ...]:
    """Return what sets the values of several writers, each on its own server."""
    return (_IN_ORDER, *_each(writers))


def _each(writers: Sequence[Node]) -> Iterator[Fix]:
    for place in choose(writers, len(writers)).each:
        if place.node is not None and place.changes:
            yield from settle(place.node, place.step)
