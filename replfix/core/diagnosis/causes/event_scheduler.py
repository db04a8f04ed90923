"""An event of the event scheduler runs on the replica too, and writes there what it writes on the source."""

from __future__ import annotations

from datetime import timedelta

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.incident.authors import Authorship, authors
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.incident_context import Program
from replfix.core.incident.triggers_and_events import runs

CODE = "event-scheduler"
_NEAR = timedelta(seconds=2)


def examine(evidence: Evidence) -> Cause | None:
    """Conclude from a local transaction as the author, and an event, ENABLED on the replica, that names the table.

    Its own statement in the log, or the time at which it last ran, confirms it.
    """
    best: tuple[int, Authorship, Program] | None = None
    for author in authors(evidence):
        for event in evidence.around.replica.programs.get(author.conflict.table, ()):
            if event.kind == "event" and event.enabled:
                sure = 2 if runs(event, author.transaction.queries) else 1 if _ran_then(event, author) else 0
                if best is None or sure > best[0]:
                    best = (sure, author, event)
    if best is None or evidence.around.settings.get("event_scheduler") not in ("ON", None):
        return None
    sure, author, event = best
    at = f"{author.transaction.committed_at:%Y-%m-%d %H:%M:%S} UTC"
    how = (
        "Its body has no statement that was logged with the row, and its last run was at another time.",
        f"It last ran when {author.transaction.id} was committed, {at}.",
        f"The statement logged with {author.transaction.id}, {at}, is in its body.",
    )
    return Cause(
        CODE,
        (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH)[sure],
        "An event of the event scheduler is enabled on the replica and writes to the table there.",
        (
            f"The {event} is ENABLED on the replica, and its body names {author.conflict.table.name}.",
            how[sure],
            "An event that came by replication is disabled on a replica; this one was enabled or created there.",
        ),
    )


def _ran_then(event: Program, author: Authorship) -> bool:
    return event.last_run is not None and abs(event.last_run - author.transaction.committed_at) <= _NEAR
