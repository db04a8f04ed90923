"""Which world a seed means. Each kind of worlds has a million seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from replfix.lab.topology import Lab
from tests.convergence import variation, world
from tests.convergence.topologies import chain, circle, fan_in
from tests.convergence.verdict import Verdict
from tests.convergence.wild import settings
from tests.convergence.wild import world as wild

SEEDS = 1_000_000


class World(Protocol):
    verdict: Verdict

    def run(self) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """``replicas`` of the lab that it takes: with two of them it connects the three servers itself, with one they are a pair that is as
    good as new."""

    name: str
    first: int
    of: Callable[[Lab, int], World]
    replicas: int = 1

    @property
    def seeds(self) -> range:
        return range(self.first, self.first + SEEDS)

    def world(self, lab: Lab, seed: int) -> World:
        if self.replicas == 1:
            lab.reset()
        return self.of(lab, seed)


KINDS = (
    Kind("plain", 0, world.World),
    Kind("varied", variation.FIRST, world.World),
    Kind("wild", settings.FIRST, wild.World),
    Kind("circles", 3_000_000, circle.TwoPrimaries, 2),
    Kind("ring", 4_000_000, circle.Ring, 2),
    Kind("chain", 5_000_000, chain.Chain, 2),
    Kind("fan-in", 6_000_000, fan_in.FanIn, 2),
    Kind("richer", settings.RICHER, wild.World),
)


def kind_of(seed: int) -> Kind:
    return next(kind for kind in KINDS if seed in kind.seeds)
