"""An earlier transaction of the source was skipped by hand: its GTID is that of an empty one in the replica's binlog."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.skipped import REST_IS_MISSING, lost
from replfix.core.words import shortened

CODE = "skipped-transaction"


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from an empty transaction with the replica's own server_id: a session with gtid_next made it."""
    found = [one for one in lost(evidence) if one.ours is not None and not one.ours.rows]
    by_hand = [one for one in found if one.ours is not None and one.ours.server_id == evidence.status.server_id]
    if not by_hand:
        return None
    empty = dict.fromkeys(
        f"In the replica's own binlog {one.ours.gtid} is empty, written by a session of the replica (server_id "
        f"{one.ours.server_id}, connection {one.ours.thread_id}): it was skipped."
        for one in by_hand
        if one.ours is not None
    )
    return Cause(
        CODE,
        Confidence.HIGH,
        "An earlier transaction of the source was skipped on the replica, and its rows with it.",
        (
            *shortened(tuple(one.in_words for one in by_hand), "row"),
            *shortened(tuple(empty), "transaction"),
            REST_IS_MISSING,
        ),
    )
