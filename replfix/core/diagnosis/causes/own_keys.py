"""Each server gave a table's rows keys of its own: an ALTER TABLE added the column with a default such as uuid()."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.remedies.divergent_keys import counted_keys

CODE = "own-keys"


def examine(evidence: Evidence) -> Cause | None:
    if evidence.apart is None:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "The rows have other keys on each server: each server generated its own values.",
        (
            counted_keys(evidence.apart),
            "A statement that added the column with this default ran on each server and gave each row another value there. A repair row by row never ends.",
        ),
    )
