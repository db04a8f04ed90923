"""The transaction met a lock, or was interrupted: it has to be tried again."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import LeadsTo, Loss, Remedy

_LIMIT = "slave_max_statement_time"
"""MariaDB: seconds that the applier gives one event; 0 for no limit."""

FAMILY = Family(
    page="lock-or-timeout",
    kind=Kind.TRANSIENT,
    thread=Thread.APPLIER,
    errors={
        1015: "ER_CANT_LOCK",
        1180: "ER_ERROR_DURING_COMMIT",
        1181: "ER_ERROR_DURING_ROLLBACK",
        1192: "ER_LOCK_OR_ACTIVE_TRANSACTION",
        1196: "ER_WARNING_NOT_COMPLETE_ROLLBACK",
        1205: "ER_LOCK_WAIT_TIMEOUT",
        1213: "ER_LOCK_DEADLOCK",
        1223: "ER_CANT_UPDATE_WITH_READLOCK",
        1297: "ER_GET_TEMPORARY_ERRMSG",
        1317: "ER_QUERY_INTERRUPTED",
        1412: "ER_TABLE_DEF_CHANGED",
        1614: "ER_XA_RBDEADLOCK",
        1689: "ER_LOCK_ABORTED",
        3024: "ER_QUERY_TIMEOUT",
        3058: "ER_USER_LOCK_DEADLOCK",
        3101: "ER_TRANSACTION_ROLLBACK_DURING_COMMIT",
        3572: "ER_LOCK_NOWAIT",
    },
    mariadb={
        1927: "ER_CONNECTION_KILLED",
        1969: "ER_STATEMENT_TIMEOUT",
        4145: "ER_BACKUP_LOCK_IS_ACTIVE",
        4192: "ER_REPLICA_STATEMENT_TIMEOUT",
    },
    means=(
        "Another session of the replica held a lock that the transaction needed, or somebody interrupted the "
        "applier. Nothing is wrong with rows or tables."
    ),
    replfix=(
        "Rehearses the transaction and starts the channel again without changing a row, a few times; names who "
        "holds the lock, if it is not released yet."
    ),
    human="End the session that holds the lock, or wait for it; keep long transactions off the replica.",
    settings=(_LIMIT,),
)


_WAITED = (1205, 3572)
_TOO_SLOW = 4192


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    start = (sql.start_replica(evidence.named_channel, receiver=True),)
    if evidence.lock_holders:
        held = " ".join(holder.in_words() for holder in evidence.lock_holders)
        kills = tuple(f"KILL {holder.connection}" for holder in evidence.lock_holders)
        return (
            Remedy(
                f"{held} Wait for it, or end it: what it has not committed is rolled back.",
                (*kills, *start),
                LeadsTo.NEXT_TRANSACTION,
                loses=tuple(Loss(1, "transaction", f"connection {h.connection}") for h in evidence.lock_holders),
            ),
        )
    if evidence.lock_holders is None and evidence.error.errno in _WAITED:
        return (
            Remedy(
                "Who holds the lock is unknown. This lists the open transactions of the replica. Wait for the one that touches the table, or end "
                "it (KILL); then START REPLICA.",
                (sql.OPEN_TRANSACTIONS,),
                LeadsTo.NOTHING_CHANGED,
            ),
        )
    if evidence.error.errno == _TOO_SLOW and evidence.settings is not None:
        return (
            Remedy(
                f"The applier gives an event {evidence.settings.replica[_LIMIT]} s ({_LIMIT}), and this one took longer: it is a slow one, "
                "or waited for a lock. This removes the limit while the server runs; set it in the configuration file as well.",
                (sql.set_global_number(_LIMIT, 0), *start),
                LeadsTo.NEXT_TRANSACTION,
            ),
        )
    seen = (
        "Whether somebody holds a lock on the tables of the transaction is unknown"
        if evidence.lock_holders is None
        else "Nobody holds a lock on the tables of the transaction now, as far as the account may see"
    )
    return (Remedy(f"{seen}: start it again.", start, LeadsTo.NEXT_TRANSACTION),)
