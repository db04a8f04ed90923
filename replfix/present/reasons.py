"""Why strategies are possible or not, each reason once."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.diagnosis.diagnosis import Proposal


def reasons(proposals: Sequence[Proposal]) -> list[str]:
    """For each proposal its reason; where an earlier one has the same, that one's name."""
    first: dict[str, str] = {}
    told: list[str] = []
    for proposal in proposals:
        by = first.setdefault(proposal.reason, proposal.strategy)
        told.append(proposal.reason if by == proposal.strategy else f"see {by}.")
    return told
