"""Nothing is wrong with the rows: one event changes a row twice, and MySQL looks for it in the wrong order."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.applied_together import stopped_by
from replfix.core.incident.evidence import Evidence
from replfix.core.replication.applier_error import ER_KEY_NOT_FOUND

CODE = "changed-twice"


def examine(evidence: Evidence) -> Cause | None:
    table = stopped_by(evidence)
    if table is None or evidence.error.errno != ER_KEY_NOT_FOUND:
        return None
    keys = ", ".join(key.name for key in table.unique_keys)
    return Cause(
        CODE,
        Confidence.HIGH,
        "The server cannot apply the event, although every row is there: it changes one row twice in a table without a key.",
        (
            f"Every row of {table.name} that the transaction changes is on the replica as it expects it.",
            f"{table.name} has no primary key, and no unique key without NULLs over whole columns"
            f"{f' (only {keys})' if keys else ''}. One event changes a row of it that it has changed before.",
            "MySQL's applier looks for all rows of such an event together, in the order of an index: it misses a row that the event itself writes later.",
        ),
    )
