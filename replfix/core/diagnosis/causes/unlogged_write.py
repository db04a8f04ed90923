"""The row was changed on the replica with sql_log_bin=0: its own binlog, read without a gap, lacks that change."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.earlier_repairs import explained
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.provenance import Provenance, left_as, provenances
from replfix.core.rows.row_diff import differing
from replfix.core.words import shortened

CODE = "unlogged-write"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude when the row is not what the log leaves, and no later transaction nor replfix can have changed it."""
    known = explained(evidence, on_source=False)
    found = [p for p in provenances(evidence) if p.behind_the_log and p.row not in known]
    if not found:
        return None
    return Cause(
        CODE,
        Confidence.HIGH,
        "A row was written or deleted on the replica without being logged: who did it is unknown.",
        (
            *shortened(tuple(_in_words(p) for p in found), "row"),
            "The replica logs everything else, and from there to its end its binlog was read without a gap: the change was "
            "made with sql_log_bin=0, by a person, a tool or a restored dump. Which, and when, is unknown.",
        ),
    )


def _in_words(one: Provenance) -> str:
    if one.last is None:
        return (
            f"A row of {one.table.name} is on the replica, and since the table was created no logged transaction of "
            "the replica has written a row with that key."
        )
    by, change = one.last.by, one.last.change
    left = left_as(one.table, change.left, one.row)
    logged = f"The newest logged change of the {one.table.name} row is the {change.kind} in {by.gtid}, of {by.when}"
    if left is None:
        return f"{logged}, which deleted it; it is there."
    if one.state is None:
        return f"{logged}; the row is no longer there."
    return f"{logged}; since then {', '.join(differing(one.table, left, one.state))} changed."
