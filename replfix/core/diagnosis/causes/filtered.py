"""The replica's applier left out an earlier change of the row: by a replication filter, or by errors to be skipped."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.skipped import lost
from replfix.core.words import shortened

CODE = "filtered"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from a transaction that the applier itself logged without this row."""
    found = [
        one
        for one in lost(evidence)
        if one.ours is not None and (one.ours.rows or one.ours.server_id != evidence.status.server_id)
    ]
    if not found:
        return None
    skipped = evidence.around.settings.get("replica_skip_errors") or "unknown"
    logged = dict.fromkeys(
        f"The replica's applier logged {one.ours.gtid} with {one.ours.rows} of its rows, and without this one."
        for one in found
        if one.ours is not None
    )
    return Cause(
        CODE,
        Confidence.HIGH if skipped == "OFF" else Confidence.MEDIUM,
        "An earlier change of the row was left out when the replica applied its transaction.",
        (
            *shortened(tuple(one.in_words for one in found), "row"),
            *shortened(tuple(logged), "transaction"),
            f"The channel's filters now: {evidence.channel.filters.in_words}; they may have been others then. "
            f"replica_skip_errors is {skipped}.",
        ),
    )
