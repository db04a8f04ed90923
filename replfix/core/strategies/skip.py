"""``skip``: the failing transaction is left out, all of it. For a human who asks for it by name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from replfix.core.binlog.row_event import ChangeKind
from replfix.core.binlog.secrets import has_mask
from replfix.core.conflicts.swapped_rows import Why
from replfix.core.diagnosis.diagnosis import Proposal
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Kind, Thread
from replfix.core.plan.guard import Guard, GuardKind
from replfix.core.plan.plan import ApplyMode, LeftOut, Plan, Step, Undoable
from replfix.core.plan.risk import Concern, Risk
from replfix.core.remedies import prepared_xa
from replfix.core.remedies.beside_swaps import carried_out, changes_beside, outdated
from replfix.core.remedies.by_hand import one_thread_first
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.strategies.guards import of_the_channel
from replfix.core.words import counted

NAME = "skip"
SUMMARY = (
    "Leave the failing transaction out, all of it: the replica never gets its rows. Only when asked for by name, one "
    "transaction at a time."
)
STATEMENTS_NAMED = 5
"""How many statements the risks name; plan and trail have all of them."""
_NOT_ITS_FAULT = (Kind.RELAY_LOG, Kind.HOST, Kind.FOLLOW_UP, Kind.RECEIVER)
_LOST = {
    ChangeKind.INSERT: ("row is not inserted", "rows are not inserted"),
    ChangeKind.UPDATE: ("row keeps the values of before", "rows keep the values of before"),
    ChangeKind.DELETE: ("row is not deleted", "rows are not deleted"),
}


def propose(evidence: Evidence) -> Proposal:
    """Return the plan that leaves the transaction out, or why there is none."""
    left_out, transaction = _left_out(evidence)
    reason = _cannot(evidence, transaction)
    if reason or transaction is None:
        return Proposal(NAME, None, reason)
    others = changes_beside(evidence)
    steps, _ = carried_out(evidence, others)
    if steps:
        left_out = replace(left_out, changes=outdated(evidence, others), table=evidence.swaps[0].conflict.table)
    plan = Plan(
        strategy=NAME,
        server_uuid=evidence.status.server_uuid,
        channel=evidence.channel.name,
        transaction=transaction,
        errno=evidence.error.errno,
        steps=(),
        guards=_guards(evidence, transaction, steps),
        risks=tuple(_risks(evidence, left_out, steps)),
        row_events=bool(steps),
        way=ApplyMode.NET_ROWS if steps else _way(evidence, transaction),
        net_rows=steps,
        left_out=left_out,
        undoable=Undoable.NO,
        undo_outlook="Cannot be undone: the replica never applies the transaction. Its rows stay in the audit trail.",
    )
    lost = _KEPT[_exchanged(evidence)] if steps or _settled(evidence) else "It is lost to this replica"
    what = (
        f"{left_out.in_words} of {transaction} can be left out, and its other {counted(len(others), 'row')} carried out under its GTID"
        if steps
        else f"{transaction} can be left out, with {left_out.in_words}"
    )
    return Proposal(NAME, plan, f"{what}. {lost}.", plan.risks)


_EQUAL = {
    True: "The source has these rows as the replica has them: they are equal afterwards.",
    False: "On these rows the servers are equal afterwards, as far as they have applied each other's transactions.",
}
_KEPT = {
    True: "Nothing is lost: the source has these rows as the replica has them",
    False: "Nothing is lost on this replica alone: no other server has these rows any more, or none will",
}


def _exchanged(evidence: Evidence) -> bool:
    return all(swap.why is Why.EXCHANGED for swap in evidence.swaps)


def _settled(evidence: Evidence) -> bool:
    """Return whether what the transaction wrote is on no server any more, or will not be."""
    transaction = evidence.transaction
    if transaction is None or transaction.statements or not evidence.swaps:
        return False
    return not changes_beside(evidence)


def _left_out(evidence: Evidence) -> tuple[LeftOut, TransactionId | None]:
    transaction = evidence.transaction or evidence.logged
    if transaction is None:
        return LeftOut((), {}), None
    whole = transaction.logged or transaction
    named = (*(s.tables for s in whole.statements), (change.table for change in whole.changes[:1]))
    first = next((name for names in named for name in names), None)
    return LeftOut(whole.changes, whole.column_names, whole.statements, first), transaction.id


def _way(evidence: Evidence, transaction: TransactionId) -> ApplyMode:
    by_gtid = transaction.gtid is not None and evidence.status.product == "MySQL"
    return ApplyMode.EMPTY if by_gtid else ApplyMode.COUNTER


def _cannot(evidence: Evidence, transaction: TransactionId | None) -> str:
    """Return what prevents that this transaction, and no other, is left out; empty for nothing."""
    family, channel = evidence.family, evidence.channel
    if evidence.thread is Thread.RECEIVER or (family is not None and family.kind in _NOT_ITS_FAULT):
        return "No transaction failed, so none can be left out."
    if channel.group_replication:
        return "The channel belongs to Group Replication, whose members have to apply the same transactions."
    if evidence.transient:
        return "Nothing is wrong with the transaction: it only has to be tried again."
    if prepared_xa.in_the_way(evidence):
        return (
            "The replica has a prepared XA transaction of the same name: were the source's left out, its XA COMMIT would commit the "
            "replica's own rows."
        )
    if transaction is None:
        return "The failing transaction could not be read, so what would be lost cannot be listed: " + (
            " ".join(evidence.unknowns) or "no reason is known."
        )
    if not transaction.failed_with(evidence.error):
        return f"The replica's error does not say that it stopped on {transaction}."
    if _way(evidence, transaction) is ApplyMode.COUNTER:
        return _counter_cannot(evidence, transaction)
    return ""


def _counter_cannot(evidence: Evidence, transaction: TransactionId) -> str:
    """Return why the skip counter cannot be used; empty when it can.

    It passes over whatever comes next: it has to be certain that this is the failing transaction.
    """
    channel = evidence.channel
    if evidence.unreachable is not None:
        return "Without the source the transaction's place in the log is unknown, and the skip counter depends on it."
    if channel.source_uuid and evidence.source_uuid != channel.source_uuid:
        return (
            "Positions were read from a server that is not the replica's source, and the skip counter depends on them."
        )
    if evidence.status.product == "MySQL" and len(evidence.status.channels) > 1:
        return "Without GTIDs the skip counter is one for all channels: the first that is started would take it."
    if first := one_thread_first(evidence):
        return first
    if channel.applied_to is None or channel.committed_behind(transaction) is not None:
        return "Workers have committed transactions after it: what the skip counter would pass over is not certain."
    if transaction.start < channel.applied_to:
        return f"The applier is at {channel.applied_to} already, after the start of {transaction}."
    return ""  # what comes before it is applied first; see close_gap


def _guards(evidence: Evidence, transaction: TransactionId, steps: tuple[Step, ...]) -> tuple[Guard, ...]:
    rehearsed = GuardKind.OTHERS_REHEARSED if steps else GuardKind.MAY_LEAVE_OUT
    return (*of_the_channel(evidence, transaction), Guard(rehearsed))


def _risks(evidence: Evidence, left_out: LeftOut, steps: tuple[Step, ...]) -> list[str]:
    risks: list[str] = []
    if steps:
        risks.append(
            f"replfix carries out what the transaction makes of {counted(len(steps), 'other row')}, logged under its GTID, without "
            "triggers and foreign key checks."
        )
    lost = Counter((change.table, change.kind) for change in left_out.changes)
    for (table, kind), number in lost.items():
        risks.append(f"{table}: {number:,} {_LOST[kind][number > 1]} on the replica.")
    for statement in left_out.statements[:STATEMENTS_NAMED]:
        risks.append(f"This statement is never run on the replica: {statement.text}")
    if len(left_out.statements) > STATEMENTS_NAMED:
        more = counted(len(left_out.statements) - STATEMENTS_NAMED, "more statement")
        risks.append(f"Nor are {more}: the plan lists every one.")
    if any(has_mask(statement.text) for statement in left_out.statements):
        risks.append("Passwords are masked here and in the audit trail: only the source has them.")
    if not steps and len(left_out.changes) + len(left_out.statements) > 1:
        risks.append(f"All of the transaction is left out ({left_out.in_words}), not only what failed.")
    if evidence.transaction is not None and evidence.transaction.prepared:
        risks.append(
            "It prepares an XA transaction: the later XA COMMIT or XA ROLLBACK will stop the replica (error 1397)."
        )
    if steps or _settled(evidence):
        risks.append(_EQUAL[_exchanged(evidence)])
    else:
        risks.append(
            "From then on the replica differs from its source: later transactions on the same rows can stop it again."
        )
    if evidence.circle and not evidence.swaps:
        risks.append(
            f"What is written here comes to the source {evidence.circle[0]} too: where that stops on the same rows, resolve it there with "
            "source-wins then, and both have this server's."
        )
    named = f" ({', '.join(evidence.below)})" if evidence.below else ""
    what = "these rows" if steps else "the transaction"
    risks.append(Risk(f"Replicas below this one{named} do not get {what} either.", Concern.OTHERS))
    risks.append(
        "Nothing takes it back: what was left out is kept in the audit trail, with all values, to be entered by hand."
    )
    return risks
