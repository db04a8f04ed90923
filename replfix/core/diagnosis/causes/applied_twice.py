"""The replica has already applied this transaction: after a crash, or repositioned too far back."""

from __future__ import annotations

from replfix.core.binlog.row_event import Transaction
from replfix.core.conflicts.reconcile import ConflictKind
from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.authors import authors
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.provenance import provenances
from replfix.core.words import counted

CODE = "applied-twice"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from rows that are all on the replica as the transaction leaves them, equal in all columns.

    One such transaction can be a row that somebody copied by hand; a run of them cannot. Rows that the transaction only
    deletes prove nothing (they can be gone for another reason). Nor does a row that the replica's own binlog shows to
    be written locally, or not by any transaction at all.
    """
    found, transaction = evidence.reconciliation, evidence.transaction
    if transaction is None or found is None or not found.conflicts or authors(evidence):
        return None
    if any(one.behind_the_log for one in provenances(evidence)):
        return None
    leaves_rows = any(row.image is not None for row in found.final)
    stands = bool(evidence.applied) and all(evidence.applied)
    run = max(evidence.around.run, int(stands))
    if leaves_rows and run > 1:
        return Cause(
            CODE,
            Confidence.HIGH,
            "The replica already has everything that this transaction writes: it was applied before.",
            (
                f"The replica's rows are as {run} transactions in a row, from {transaction.id} on, leave them.",
                *_how(evidence, transaction),
            ),
        )
    if leaves_rows and stands:
        return Cause(
            CODE,
            Confidence.MEDIUM,
            "The replica already has everything that this transaction writes: it was applied before.",
            (
                f"Every row that the transaction touches ({len(evidence.applied)}) is on the replica exactly as the "
                "transaction leaves it.",
                "The transactions after it, if there are any, are not there: it can be a single row that somebody entered by hand.",
                *_how(evidence, transaction),
            ),
        )
    duplicates = [c for c in found.conflicts if c.kind is ConflictKind.DUPLICATE]
    if duplicates and all(c.identical for c in found.conflicts):
        return Cause(
            CODE,
            Confidence.LOW,
            "The conflicting rows equal the incoming ones: the transaction may have been applied before.",
            (
                f"{counted(len(duplicates), 'conflicting row')} equal to the incoming, but only "
                f"{sum(evidence.applied)} of the {len(evidence.applied)} rows of the transaction are as it leaves them.",
            ),
        )
    return None


def _how(evidence: Evidence, transaction: Transaction) -> tuple[str, ...]:
    settings = ", ".join(
        f"{name}={value}"
        for name in ("relay_log_recovery", "sync_binlog", "innodb_flush_log_at_trx_commit")
        if (value := evidence.around.settings.get(name)) is not None
    )
    return (
        f"{transaction.id} counts as not applied there, so the replica applies it as new: after a crash that lost the position, or when the replica was set to an older one.",
        *((f"The replica's settings for a crash: {settings}.",) if settings else ()),
    )
