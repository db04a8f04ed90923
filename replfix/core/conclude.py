"""From evidence to a diagnosis: every cause is examined, every strategy asked."""

from __future__ import annotations

from dataclasses import replace

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.diagnosis.causes import CAUSES, DESCRIPTIONS, OF_EVERY_ERROR, CauseRule
from replfix.core.diagnosis.diagnosis import Diagnosis, Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Thread
from replfix.core.known_errors.human_advice import advise
from replfix.core.plan.plan import ApplyMode
from replfix.core.plan.risk import Concern, Risk
from replfix.core.replication.applier_error import ROW_ERRORS
from replfix.core.replication.replica_status import ReceiverState
from replfix.core.replication.start_threads import situation
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.strategies import STRATEGIES, Strategy

_ORDER = (Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW)


def _place(rule: CauseRule, cause: Cause) -> tuple[bool, int, int]:
    likely = rule not in DESCRIPTIONS and cause.confidence is not Confidence.LOW
    return not likely, _ORDER.index(cause.confidence), CAUSES.index(rule)


def conclude(evidence: Evidence) -> Diagnosis:
    """Conclude from the evidence: causes, the likeliest first, strategies, and what a human can do."""
    found = [
        (_place(rule, cause), cause)
        # No row explains a missing table, a failed check, a foreign key.
        for rule in (CAUSES if evidence.error.errno in ROW_ERRORS else OF_EVERY_ERROR)
        if (cause := rule.examine(evidence)) is not None
    ]
    return Diagnosis(
        evidence=evidence,
        causes=tuple(cause for *_, cause in sorted(found, key=lambda f: f[0])),
        proposals=tuple(_proposal(strategy, evidence) for strategy in _strategies(evidence)),
        unknowns=evidence.unknowns,
        advice=advise(evidence),
    )


def _strategies(evidence: Evidence) -> tuple[Strategy, ...]:
    """Return those that are asked: the first alone plans for several transactions together."""
    return STRATEGIES if evidence.transaction is None or evidence.transaction.run is None else STRATEGIES[:1]


def _proposal(strategy: Strategy, evidence: Evidence) -> Proposal:
    """Return the strategy's proposal.

    None for a transaction that the replica is past already, whatever error the channel still shows, nor for a receiver.
    """
    if evidence.thread is Thread.RECEIVER:
        return Proposal(strategy.NAME, None, _of_the_receiver(evidence))
    of = evidence.failing
    if of is not None and evidence.status.has_applied(evidence.channel, of):
        return Proposal(strategy.NAME, None, _passed(evidence, of))
    if evidence.doubted:
        return Proposal(strategy.NAME, None, evidence.doubted)
    return _restartable(evidence, strategy.propose(evidence))


def _passed(evidence: Evidence, of: TransactionId) -> str:
    """Return why the replica is past the transaction: a position, unlike a GTID set, can be past one that was not applied."""
    if evidence.status.product == "MySQL" or (evidence.applied and all(evidence.applied)):
        return f"{of} is applied or left out already: the channel only has to be started (START REPLICA)."
    return (
        f"The replica's position ({evidence.status.executed}) is past {of}, on which the applier stopped, and not all of its rows are here. "
        "Either somebody left it out, or the server passed over it: MariaDB 10.11 does so when an XA transaction after it is prepared by "
        "another parallel thread. START REPLICA goes on after the position, and this replica never gets what is before it. Where "
        "nobody left it out, stop the channel and set gtid_slave_pos back to the transaction before it; then resolve it."
    )


def _of_the_receiver(evidence: Evidence) -> str:
    error = f"error {evidence.error.errno}: {evidence.error.message}"
    if evidence.channel.receiver is ReceiverState.CONNECTING:
        return f"No transaction has failed. The receiver cannot connect to the source, and tries again ({error})."
    return f"No transaction has failed. The receiver has stopped ({error})."


def _restartable(evidence: Evidence, proposal: Proposal) -> Proposal:
    """Refuse a plan whose START would cost a transaction; one that needs the receiver first says so."""
    plan = proposal.plan
    if plan is None:
        return proposal
    until = plan.way in (ApplyMode.APPLY, ApplyMode.COUNTER)
    at = situation(
        evidence.channel,
        plan.last if until else None,
        until=until,
        source=evidence.source_has,
        from_source=plan.on_source is not None,
    )
    if at.refusal:
        return Proposal(proposal.strategy, None, at.refusal)
    if not at.warning:
        return proposal
    risks = (*plan.risks, Risk(at.warning, Concern.SETTINGS))
    plan = replace(plan, receiver=at.receiver_first, risks=risks)
    return replace(proposal, plan=plan, risks=risks)


def strategy_names() -> tuple[str, ...]:
    """Return the strategies' names, the one to be tried first is the first."""
    return tuple(strategy.NAME for strategy in STRATEGIES)
