"""Statements as a human runs them on the replica of an incident."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.replication.replica_status import RelayLog
from replfix.core.replication.start_threads import Source

NEVER_BELOW = "A replica of this replica would never get it."
"""Of a transaction that is left out: MariaDB may not say whether there is one."""


def by_hand(evidence: Evidence, *statements: str, start: str | None = None) -> tuple[str, ...]:
    """Return the statements as a human runs them on the replica, with ``start`` last; empty: the channel is not started."""
    status = evidence.status
    lenient = (sql.LENIENT,) if logged_in_part(evidence) else ()
    if start is None:
        start = sql.start_replica(evidence.named_channel, receiver=True)
    return sql.by_hand((*statements, *lenient), super_read_only=status.super_read_only, start=start)


def logged_in_part(evidence: Evidence) -> bool:
    """MariaDB in strict mode, which does not log the same number again (error 1950)."""
    return evidence.status.strict and evidence.logged_already


def rows_by_hand(evidence: Evidence, *statements: str, start: str | None = None) -> tuple[str, ...]:
    """Return statements that write rows, in a session with the settings that their values, such as times, are for."""
    return by_hand(evidence, *sql.SESSION_SETTINGS, *statements, start=start)


def skip_alone(evidence: Evidence) -> tuple[str, ...]:
    """Return what leaves out a transaction that has nothing left to do here, or whose outcome was copied.

    Replicas below get nothing of it then, so only where there are none.
    """
    return () if evidence.below else skip(evidence)


def skip(evidence: Evidence) -> tuple[str, ...]:
    """Return what leaves out exactly that transaction; empty where another one might be left out in its place.

    On MariaDB it is the one that the applier meets next, and with several domains and parallel threads the server
    rejects the skip counter.
    """
    channel = evidence.channel
    if evidence.status.product == "MariaDB":
        next_ = evidence.failing is not None and channel.stands_at(evidence.failing)
        return sql.skip_next(evidence.named_channel) if next_ and channel.relay_log is not RelayLog.REPLACED else ()
    return sql.skip_by_hand(evidence.error.gtid, evidence.named_channel)


def one_thread_first(evidence: Evidence) -> str:
    """Return what a human does before ``skip``, and why; empty where that is nothing."""
    if evidence.status.product != "MariaDB" or evidence.channel.relay_log is not RelayLog.REPLACED:
        return ""
    why = "With several GTID domains MariaDB rejects the skip counter while it applies in parallel (error 1966)."
    if evidence.source_has[0] is not Source.HOLDS:
        return (
            f"{why} To set the number of parallel threads to 0, the channel has to be stopped and started, which deletes the relay log; whether the source "
            "has all of it is unknown."
        )
    return (
        f"{why} Before that, stop all channels (STOP ALL REPLICAS), set the number of parallel threads to 0 and start them again; set it back in the "
        "same way afterwards."
    )
