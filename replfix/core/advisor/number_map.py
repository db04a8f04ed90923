"""Which numbers each writer hands out, as a map of the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm

from replfix.core.advisor.node import IncrementSetting

MOST = 24
LEAST = 10


@dataclass(frozen=True, slots=True)
class Writer:
    """A writer and the numbers that it generates."""

    name: str
    step: IncrementSetting


@dataclass(frozen=True, slots=True)
class NumberMap:
    """Numbers 1 to ``last``; when ``whole``, what follows repeats them."""

    writers: tuple[Writer, ...]
    last: int
    whole: bool

    def given(self, number: int) -> tuple[Writer, ...]:
        """Return the writers that generate that number."""
        return tuple(writer for writer in self.writers if writer.step.gives(number))

    @property
    def numbers(self) -> range:
        """The numbers that are shown."""
        return range(1, self.last + 1)

    @property
    def clashes(self) -> int:
        """Numbers of the map that more than one hands out."""
        return sum(len(self.given(number)) > 1 for number in self.numbers)


def number_map(writers: Sequence[Writer]) -> NumberMap | None:
    """Return the map; None without writers."""
    if not writers:
        return None
    period = lcm(*(writer.step.increment for writer in writers))
    whole = period <= MOST
    last = MOST if not whole else -(-LEAST // period) * period
    return NumberMap(tuple(writers), last, whole)
