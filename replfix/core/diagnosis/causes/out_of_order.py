"""Nothing is wrong with the rows: they take each other's places, and MySQL changes them in another order."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.applied_together import keys_taken_over, stopped_by
from replfix.core.incident.evidence import Evidence
from replfix.core.replication.applier_error import ER_DUP_ENTRY

CODE = "out-of-order"


def examine(evidence: Evidence) -> Cause | None:
    table = stopped_by(evidence)
    if table is None or evidence.error.errno != ER_DUP_ENTRY:
        return None
    keys = ", ".join(key.name for key in keys_taken_over(evidence, table))
    return Cause(
        CODE,
        Confidence.HIGH,
        "The server cannot apply the event, although no row conflicts with it: its rows exchange values in a table without a key.",
        (
            f"No row of {table.name} on the replica conflicts with what the transaction leaves there.",
            f"{table.name} has no primary key, and no unique key without NULLs over whole columns. In one event a row gets a "
            f"value of {keys} that another row of the event gives up.",
            "MySQL's applier looks for all rows of such an event together, and changes them in the order in which it meets them: one "
            "gets its new value while the other still has it.",
        ),
    )
