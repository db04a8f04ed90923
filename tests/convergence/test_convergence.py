"""``resolve`` converges, whatever the schema, the work and the divergence. For longer than a test run: ``make soak``."""

from __future__ import annotations

from collections.abc import Callable

from tests.conftest import Labs
from tests.convergence import kept
from tests.convergence.account import counts_of
from tests.convergence.worlds import kind_of


def test_the_replica_becomes_what_the_source_is_and_nothing_is_lost(
    labs: Labs, server: str, seed: int, record_property: Callable[[str, object], None]
) -> None:
    kind = kind_of(seed)
    verdict = kind.world(labs(server, kind.replicas), seed).run()
    record_property("convergence", counts_of(verdict))
    assert not verdict.wrong, "\n".join((*verdict.wrong, f"Again, with every statement: {kept.command(server, seed)}"))
