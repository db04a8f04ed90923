"""Servers connected in other ways than a source with its replicas: one topology a file. A new one is listed here."""

from __future__ import annotations

from replfix.core.words import suggestion
from replfix.errors import UsageError
from replfix.lab.topologies.topology import PAIR, Topology


def all_topologies() -> dict[str, Topology]:
    """Return every topology by its name, the pair first."""
    from replfix.lab.topologies import (  # they begin with servers of this package
        chain,
        dual_primary,
        multi_source,
        no_gtid,
        ring,
    )

    listed = (chain, dual_primary, multi_source, no_gtid, ring)
    return {topology.name: topology for topology in (PAIR, *(module.TOPOLOGY for module in listed))}


def find(name: str) -> Topology:
    """Return the topology of that name; UsageError when there is none."""
    known = all_topologies()
    if name not in known:
        raise UsageError(f"There is no topology {name[:60]!r}.", suggestion(name, known, "Topologies"))
    return known[name]
