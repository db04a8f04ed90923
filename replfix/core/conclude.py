"""From evidence to a diagnosis: every cause is examined, every strategy asked."""

from __future__ import annotations

from types import ModuleType

from replfix.core import causes, strategies
from replfix.core.applier_error import ROW_ERRORS
from replfix.core.diagnosis import Cause, Confidence, Diagnosis, Proposal
from replfix.core.discover import modules_of
from replfix.core.evidence import Evidence
from replfix.core.human_advice import advise

_ORDER = (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)


def _place(module: ModuleType, cause: Cause) -> tuple[bool, int, int]:
    """What only says how the rows stand is certain and explains little: it comes behind all that says why."""
    says_why = not getattr(module, "SAYS_ONLY_WHAT", False)
    likely = says_why and cause.confidence is not Confidence.LOW
    return not likely, _ORDER.index(cause.confidence), module.RANK


def conclude(evidence: Evidence) -> Diagnosis:
    found = [
        (_place(module, cause), cause)
        for module in modules_of(causes)
        # No row explains a missing table, a failed check, a foreign key.
        if evidence.error.errno in ROW_ERRORS or getattr(module, "BEYOND_ROWS", False)
        if (cause := module.examine(evidence)) is not None
    ]
    return Diagnosis(
        evidence=evidence,
        causes=tuple(cause for *_, cause in sorted(found, key=lambda f: f[0])),
        proposals=tuple(_proposal(module, evidence) for module in _strategies()),
        unknowns=evidence.unknowns,
        advice=advise(evidence),
    )


def _proposal(module: ModuleType, evidence: Evidence) -> Proposal:
    """No strategy is about a transaction that the replica is past already, whatever error the channel still shows."""
    of = evidence.failing
    if of is not None and evidence.status.has_applied(evidence.channel, of):
        return Proposal(
            module.NAME,
            None,
            f"{of} is applied or left out already: the channel only has to be started (START REPLICA).",
        )
    if evidence.doubted:
        return Proposal(module.NAME, None, evidence.doubted)
    proposal: Proposal = module.propose(evidence)
    return proposal


def _strategies() -> list[ModuleType]:
    return sorted(modules_of(strategies), key=lambda module: module.RANK)


def strategy_names() -> tuple[str, ...]:
    """The one to be tried first is the first."""
    return tuple(module.NAME for module in _strategies())
