"""One strategy a file: from evidence to a plan, or to the reason why there is none.

A new one is listed here, where it is to be offered.
"""

from __future__ import annotations

from typing import Protocol

from replfix.core.diagnosis.diagnosis import Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.strategies import (
    keep_both,
    replica_wins,
    skip,
    source_wins,
)


class Strategy(Protocol):
    """What the module of a strategy has to have."""

    NAME: str
    SUMMARY: str
    """One sentence, for help texts and screens."""

    def propose(self, evidence: Evidence, /) -> Proposal:
        """Return a plan, or why there is none."""
        ...


STRATEGIES: tuple[Strategy, ...] = (
    source_wins,
    keep_both,
    replica_wins,
    skip,
)
"""The first is offered first."""
