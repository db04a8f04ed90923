"""Data and GTID set of the replica do not match: it counts a transaction as applied that its data lacks."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.provenance import stands
from replfix.core.incident.skipped import REST_IS_MISSING, Lost, lost
from replfix.core.words import shortened

CODE = "restored-copy"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude when the source's newest change of the row counts as applied, and neither log nor data of the replica has it.

    A row that is as it was *before* that change indicates older data. One that is just not there can have been deleted
    without a trace too.
    """
    found = [one for one in lost(evidence) if one.ours is None]
    if not found:
        return None
    older = [one for one in found if one.of.state is not None and _as_before(one)]
    return Cause(
        CODE,
        Confidence.HIGH if older else Confidence.MEDIUM,
        "The replica counts transactions as applied that its data does not have: a backup or clone with a newer GTID set.",
        (
            *shortened(tuple(one.in_words for one in found), "row"),
            f"{len(older)} of these {len(found)} rows are as they were before that change.",
            "These transactions are not in the replica's own binlog: they are in gtid_purged, set when its data was "
            "restored or cloned, or when its binlog was reset."
            if evidence.status.product == "MySQL"
            else "These transactions are not in the replica's own binlog: its position was set when its data was restored or cloned, "
            "or its binlog was reset.",
            REST_IS_MISSING,
        ),
    )


def _as_before(one: Lost) -> bool:
    before = one.change.change.before
    return before is not None and stands(one.of.table, before, one.of.row, one.of.state)
