"""Writers that hand out numbers at the same time, while each other's rows are on their way."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

from replfix.core.advisor.allocation import next_id
from replfix.core.advisor.node import IncrementSetting


@dataclass(frozen=True, slots=True)
class IdAllocator:
    """One server that writes to a table. ``sees``: the places, in the list of all, of those whose rows reach it."""

    counter: int
    step: IncrementSetting
    sees: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class SimulationResult:
    """What a simulation counted."""

    rows: int  # handed out by all of them together
    collisions: int  # rows whose number another row has already


def simulate(hands: Sequence[IdAllocator], rows: int, in_flight: int, limit: int | None = None) -> SimulationResult:
    """Let each hand insert ``rows`` rows in turn, and count the collisions.

    A row has reached those that see it when its writer has inserted ``in_flight`` more; with ``in_flight >= rows`` none
    arrives in time, as while replication is stopped.
    """
    counters = [hand.counter for hand in hands]
    reaching = [hand.sees | {at} for at, hand in enumerate(hands)]  # its own rows move no counter any more
    given: Counter[int] = Counter()
    on_their_way: deque[list[int | None]] = deque()
    for _ in range(rows):
        numbers = [next_id(counter, hand.step, limit) for counter, hand in zip(counters, hands, strict=True)]
        for at, number in enumerate(numbers):
            if number is not None:
                given[number] += 1
                counters[at] = number + 1
        on_their_way.append(numbers)
        if len(on_their_way) > in_flight:
            arriving = on_their_way.popleft()
            highest = {of: max(arriving[at] or 0 for at in of) for of in set(reaching)}
            for at, of in enumerate(reaching):
                counters[at] = max(counters[at], highest[of] + 1)
    return SimulationResult(given.total(), given.total() - len(given))
