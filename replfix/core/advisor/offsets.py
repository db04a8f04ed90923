"""Which increment and offsets keep so many writers apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import lcm

from replfix.core.advisor.node import IncrementSetting, Node
from replfix.core.advisor.writers import overlap
from replfix.errors import UsageError

MOST_WRITERS = 100
HIGHEST_INCREMENT = 65535
"""Of both variables (MySQL manual, "auto_increment_increment")."""


@dataclass(frozen=True, slots=True)
class WriterSlot:
    """What one writer works with. ``node`` is None for one that is not there yet."""

    node: Node | None
    step: IncrementSetting

    @property
    def changes(self) -> bool:
        """Whether a server that writes now gets other values."""
        return self.node is not None and self.node.step != self.step

    @property
    def is_lost(self) -> bool:
        """The values that it has, or will be given, would not be there after a restart, as far as is known."""
        if self.node is None:
            return False
        after = self.node.increment.after_restart, self.node.offset.after_restart
        return after != (self.step.increment, self.step.offset)


@dataclass(frozen=True, slots=True)
class Places:
    """The increment, and an offset for each writer."""

    each: tuple[WriterSlot, ...]  # the nodes in the order given, then those to come
    increment: int
    why: str  # this increment: whole sentences

    @property
    def free(self) -> tuple[int, ...]:
        """Offsets that nobody has."""
        taken = {place.step.offset for place in self.each}
        return tuple(offset for offset in range(1, self.increment + 1) if offset not in taken)


def choose(nodes: Sequence[Node], writers: int) -> Places:
    """Return the slots for ``nodes``, which write now, and for more up to ``writers``; UsageError when these are too few.

    What is right stays: a common increment with room for all, and each offset that keeps its server apart.
    """
    if not max(2, len(nodes)) <= writers <= MOST_WRITERS:
        raise UsageError(
            f"A plan for {writers} writers cannot be made: {len(nodes)} of these servers write."
            if 2 <= writers <= MOST_WRITERS
            else f"A plan is for 2 to {MOST_WRITERS} writers, not {writers}.",
            f"Use --writers N with {max(2, len(nodes))} or more, or make the others read-only first.",
        )
    increment, why = _increment([node.step for node in nodes], writers)
    taken: dict[str, int] = {}
    for node in nodes:
        if node.step.offset <= increment and node.step.offset not in taken.values():
            taken[node.uuid] = node.step.offset
    free = (offset for offset in range(1, increment + 1) if offset not in taken.values())
    there = [WriterSlot(node, IncrementSetting(increment, taken.get(node.uuid) or next(free))) for node in nodes]
    coming = [WriterSlot(None, IncrementSetting(increment, next(free))) for _ in range(writers - len(nodes))]
    return Places((*there, *coming), increment, why)


def apart(steps: Sequence[IncrementSetting]) -> bool:
    """Return whether no two of them generate the same number."""
    return all(not overlap(one, other) for one, other in combinations(steps, 2))


def _increment(steps: Sequence[IncrementSetting], writers: int) -> tuple[int, str]:
    common = {step.increment for step in steps}
    right = apart(steps) and all(step.offset <= step.increment for step in steps)
    if len(common) == 1:
        (increment,) = common
        if increment >= writers if right and len(steps) > 1 else increment >= 2 * writers:
            return increment, f"It is {increment} already, which has room for {increment} writers."
    unit = lcm(*common) if right else 1
    least = 2 * writers
    tens = next(power for power in (10, 100, 1000) if power >= least)
    if tens % unit == 0:
        digits = "last digit" if tens == 10 else f"last {len(str(tens)) - 1} digits"
        why = f"Room for {tens} writers, twice those planned or more, and the {digits} of a number shows which server gave it."
        return tens, why
    increment = unit * -(-least // unit)
    if increment <= HIGHEST_INCREMENT:
        why = (
            f"Room for {increment} writers, twice those planned or more, and a multiple of what the servers work with now: "
            "each continues with numbers of the class that it has."
        )
        return increment, why
    return tens, f"Room for {tens} writers."
