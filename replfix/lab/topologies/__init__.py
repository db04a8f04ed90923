"""Servers connected in other ways than a source with its replicas: one topology a file, found by being there."""

from __future__ import annotations

from replfix.core.discover import modules_of
from replfix.errors import UsageError
from replfix.lab.topologies.topology import PAIR, Topology


def all_topologies() -> dict[str, Topology]:
    import replfix.lab.topologies as here

    found = [module.TOPOLOGY for module in modules_of(here) if hasattr(module, "TOPOLOGY")]
    return {topology.name: topology for topology in (PAIR, *sorted(found, key=lambda t: t.name))}


def find(name: str) -> Topology:
    """The topology of that name; UsageError when there is none."""
    known = all_topologies()
    if name not in known:
        raise UsageError(f"There is no topology {name[:60]!r}.", f"There are: {', '.join(known)}.")
    return known[name]
