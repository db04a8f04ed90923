"""The replica was made from a copy of the source's data, and does not know which transactions are in the copy."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.remedies.copied_replica import may_be_a_copy
from replfix.core.words import counted, shortened

CODE = "copy-without-gtids"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from rows of several transactions that were not executed; a row of only one can have another reason."""
    copied = evidence.copied
    if not copied or not may_be_a_copy(evidence):
        return None
    wrote = (evidence.error.gtid or "").partition(":")[0]
    executed = evidence.status.executed
    return Cause(
        CODE,
        Confidence.HIGH if len(copied) > 1 else Confidence.MEDIUM,
        "The replica has a copy of the source's data, and none of its GTIDs: all that is in the copy is applied again.",
        (
            f"gtid_executed of the replica ({executed or 'empty'}) has no transaction of {wrote}, which wrote the failing one.",
            f"The rows of {counted(len(copied), 'transaction')} that it has not executed are there as these leave them: "
            f"{', '.join(shortened(copied, 'transaction'))}.",
        ),
    )
