"""A replica's applier met a row that should not be there."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.duplicate import Kind
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "replica-conflict"


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if not duplicate.replication or duplicate.kind is Kind.REPLICA or duplicate.schema == "mysql":
        return None
    transaction = f"The failing transaction is {duplicate.gtid}." if duplicate.gtid else "The text names no GTID."
    return Cause(
        CODE,
        Confidence.HIGH,
        "A replica's applier found a row that has the key of the row it was to write: replica and source differ.",
        ("The text is from a replica's applier.", transaction),
        (
            Fix("replfix diagnose NAME names who wrote the row and what can be done; replfix resolve NAME does it."),
            Fix("Do not skip the transaction: that drops every row of it, not only this one."),
        ),
    )
