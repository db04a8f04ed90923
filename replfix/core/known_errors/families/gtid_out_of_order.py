"""MariaDB in strict mode: the replica's binlog is ahead of the source's numbers."""

from __future__ import annotations

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.remedy import LeadsTo, Remedy

FAMILY = Family(
    page="gtid-out-of-order",
    kind=Kind.DATA_REFUSED,
    thread=Thread.APPLIER,
    errors={
        1950: "ER_GTID_STRICT_OUT_OF_ORDER",
    },
    means=(
        "Somebody wrote on the MariaDB replica in the domain of its source, so its binlog is ahead: with gtid_strict_mode=ON it rejects lower numbers of that domain."
    ),
    replfix="Names the transactions that only the replica has, and what lets the channel continue.",
    human=(
        "Look at what was written on the replica. With gtid_strict_mode=OFF the channel continues; conflicting rows then stop it, and replfix resolves those. Give every server that is written to a gtid_domain_id of "
        "its own, and switch strict mode on again when the source's numbers have passed the replica's."
    ),
)


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    own = evidence.ahead.of_uuid(evidence.status.server_uuid)
    seen = (Remedy(f"Only the replica has {own}: look at it in the replica's own binlog."),) if own else ()
    return (
        *seen,
        Remedy(
            FAMILY.human,
            (sql.LENIENT, sql.start_replica(evidence.named_channel, receiver=True)),
            LeadsTo.NEXT_TRANSACTION,
        ),
    )
