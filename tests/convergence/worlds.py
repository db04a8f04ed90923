"""Which world a seed means."""

from __future__ import annotations

from replfix.lab.topology import Lab
from tests.convergence import circles
from tests.convergence.wild import settings
from tests.convergence.wild.world import World as WildWorld
from tests.convergence.world import World


def world_of(lab: Lab, seed: int) -> World | WildWorld | circles.World:
    if seed >= circles.FIRST:
        return circles.World(lab, seed)
    return WildWorld(lab, seed) if seed >= settings.FIRST else World(lab, seed)
