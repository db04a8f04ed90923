"""The transaction met a lock, or was interrupted: it has to be tried again."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.evidence import Evidence
from replfix.core.known_error import Advice, Family, Kind, Thread

FAMILY = Family(
    page="lock-or-timeout",
    kind=Kind.TRANSIENT,
    thread=Thread.APPLIER,
    errors={
        1180: "ER_ERROR_DURING_COMMIT",
        1205: "ER_LOCK_WAIT_TIMEOUT",
        1213: "ER_LOCK_DEADLOCK",
        1317: "ER_QUERY_INTERRUPTED",
        1614: "ER_XA_RBDEADLOCK",
        3024: "ER_QUERY_TIMEOUT",
        3058: "ER_USER_LOCK_DEADLOCK",
        3572: "ER_LOCK_NOWAIT",
    },
    means=(
        "Another session of the replica held a lock that the transaction needed, or somebody interrupted the "
        "applier. Nothing is wrong with rows or tables."
    ),
    replfix=(
        "Rehearses the transaction and starts the channel again without changing a row, a few times; names who "
        "holds the lock when it is still held."
    ),
    human="End the session that holds the lock, or wait for it; keep long transactions off the replica.",
)


def advise(evidence: Evidence) -> tuple[Advice, ...]:
    holders = tuple(
        Advice(f"{holder.in_words()} End it, or wait for it.", (f"KILL {holder.connection}",))
        for holder in evidence.lock_holders
    )
    if holders:
        return holders
    start = (sql.start_replica(evidence.channel.name, receiver=True),)
    return (
        Advice(
            "Nobody holds a lock on the tables of the transaction now, as far as the account may see: start it again.",
            start,
        ),
    )
