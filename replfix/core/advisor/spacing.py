"""The statements that give servers the increment and offset which keep them apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from replfix.core import sql
from replfix.core.advisor.node import IncrementSetting, Node
from replfix.core.advisor.offsets import choose

_IN_ORDER = "-- in the order of the plan of 'replfix advise', which lets nothing collide in between"


def settle(node: Node, step: IncrementSetting) -> tuple[str, ...]:
    """Return what sets it now and after a restart, where there is SET PERSIST; else that takes option files."""
    wanted = (("auto_increment_increment", step.increment), ("auto_increment_offset", step.offset))
    if node.persists:
        return tuple(sql.persist_number(name, value) for name, value in wanted)
    now = () if node.step == step else tuple(sql.set_global_number(name, value) for name, value in wanted)
    return (*now, f"-- in the option file, under [mysqld]: {', '.join(f'{name} = {value}' for name, value in wanted)}")


def settle_all(writers: Sequence[Node]) -> tuple[str, ...]:
    """Return the statements for several writers, each writer's after a comment that names it."""
    return (_IN_ORDER, *_each(writers))


def _each(writers: Sequence[Node]) -> Iterator[str]:
    for place in choose(writers, len(writers)).each:
        if place.node is not None and place.changes:
            yield f"-- on {place.node.name}:"
            yield from settle(place.node, place.step)
