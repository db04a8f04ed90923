"""What an incident is, why it came about as far as the evidence goes, and what can be done."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.diagnosis.cause import Cause
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Kind, Thread
from replfix.core.incident.origin import of_other_sources
from replfix.core.plan.plan import Plan
from replfix.core.remedies.remedy import Remedy


@dataclass(frozen=True, slots=True)
class Proposal:
    """A strategy's answer: a plan, or the reason why there is none."""

    strategy: str
    plan: Plan | None
    reason: str
    risks: tuple[str, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether there is a plan."""
        return self.plan is not None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that was concluded about one incident."""

    evidence: Evidence
    causes: tuple[Cause, ...]  # the likeliest first
    proposals: tuple[Proposal, ...]
    unknowns: tuple[str, ...]
    advice: tuple[Remedy, ...] = ()  # what a human can do

    @property
    def nature(self) -> str:
        """What kind of trouble it is and what that means, where no row explains it; empty otherwise."""
        family = self.evidence.family
        if family is None or family.kind is Kind.ROW_CONFLICT:
            return ""
        return f"{family.kind.value} ({family.names[self.evidence.error.errno]}): {family.means}"

    @property
    def stopped(self) -> str:
        """What has stopped, as ``the default channel is stopped``."""
        channel = self.evidence.channel.name
        where = f"channel {channel}" if channel else "the default channel"
        return (
            f"the receiver of {where} is stopped" if self.evidence.thread is Thread.RECEIVER else f"{where} is stopped"
        )

    @property
    def recommended(self) -> Proposal | None:
        """The strategy to look at first, when it is possible here.

        None where it takes a row of another source: a human has to decide first whose the key is.
        """
        first = next(iter(self.proposals), None)
        if first is None or not first.allowed or any(of_other_sources(self.evidence)):
            return None
        return first

    def proposal(self, strategy: str) -> Proposal | None:
        """Return the proposal of that strategy, None when there is no such strategy."""
        return next((p for p in self.proposals if p.strategy == strategy), None)
