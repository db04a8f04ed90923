"""Increments and offsets that keep writers apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from replfix.core import sql
from replfix.core.advisor.node import Node, Step


def apart(writers: Sequence[Node]) -> dict[str, Step]:
    """A step for each writer, by ``Node.uuid``: the largest increment that one of them has, or as many as there are
    writers; offsets that fit and are nobody else's stay."""
    increment = max(len(writers), *(w.increment.now for w in writers))
    given: dict[str, int] = {}
    for writer in writers:
        offset = writer.offset.now
        if 1 <= offset <= increment and offset not in given.values() and writer.increment.now == increment:
            given[writer.uuid] = offset
    free = (offset for offset in range(1, increment + 1) if offset not in set(given.values()))
    return {w.uuid: Step(increment, given[w.uuid] if w.uuid in given else next(free)) for w in writers}


def settle(node: Node, step: Step) -> tuple[str, ...]:
    """The statements that make it so now and after a restart. MariaDB has no SET PERSIST: there it takes option files."""
    wanted = (("auto_increment_increment", step.increment), ("auto_increment_offset", step.offset))
    if not node.mariadb:
        return tuple(sql.persist_number(name, value) for name, value in wanted)
    now = () if node.step == step else tuple(sql.set_global_number(name, value) for name, value in wanted)
    return (*now, f"-- in the option file, under [mariadb]: {', '.join(f'{name} = {value}' for name, value in wanted)}")


def settle_all(writers: Iterable[Node]) -> tuple[str, ...]:
    """The same for several, each behind a comment that names it."""
    listed = tuple(writers)
    steps = apart(listed)
    return tuple(
        line
        for writer in listed
        if writer.step != steps[writer.uuid]
        for line in (f"-- on {writer.name}:", *settle(writer, steps[writer.uuid]))
    )
