"""MariaDB cannot write or read its table of GTID positions."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.by_hand import by_hand
from replfix.core.evidence import Evidence
from replfix.core.known_error import Family, Kind, Thread
from replfix.core.remedy import LeadsTo, Loss, Remedy

FAMILY = Family(
    page="gtid-position-table",
    kind=Kind.SERVER,
    thread=Thread.APPLIER,
    errors={},
    mariadb={
        1940: "ER_FAILED_GTID_STATE_INIT",
        1941: "ER_INCORRECT_GTID_STATE",
        1942: "ER_CANNOT_UPDATE_GTID_STATE",
        1943: "ER_DUPLICATE_GTID_DOMAIN",
        1944: "ER_GTID_OPEN_TABLE_FAILED",
        1946: "ER_CANNOT_LOAD_REPLICA_GTID_STATE",
        1947: "ER_SOURCE_GTID_POS_CONFLICTS_WITH_BINLOG",
        1948: "ER_SOURCE_GTID_POS_MISSING_DOMAIN",
        1951: "ER_GTID_START_FROM_BINLOG_HOLE",
        1952: "ER_REPLICA_UNEXPECTED_SOURCE_SWITCH",
    },
    means=(
        "MariaDB keeps the GTID of each applied transaction in a table of its schema mysql, and cannot write there: a row with that "
        "number is there already, mostly by hand or from a copy, or the table is damaged or missing."
    ),
    replfix="Names the row in the way, and shows what lets the channel go on without leaving a transaction out.",
    human="Nothing is wrong with the transaction: do not skip it. Put the table right and start the channel.",
)

_STRAY = re.compile(r"Duplicate entry '(?P<domain>\d+)-(?P<sub>\d+)'")


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    channel = evidence.channel.name
    again = (sql.stop_replica(channel), sql.start_replica(channel, receiver=True))
    stray = _STRAY.search(evidence.error.message)
    restart = Remedy(
        "The server numbers these rows from the highest that it finds when it reads the table: stop both threads and start them again.",
        again,
        LeadsTo.NEXT_TRANSACTION,
    )
    if stray is None:
        return (Remedy(FAMILY.human), restart)
    row = f"(domain {stray['domain']}, number {stray['sub']})"
    return (
        Remedy(f"A row of the table of GTID positions is in the way {row}. {FAMILY.human}"),
        restart,
        Remedy(
            "If it stops again, take the row out. It holds an old position; those that count are the highest of each domain.",
            by_hand(evidence, sql.delete_gtid_position(int(stray["domain"]), int(stray["sub"]))),
            LeadsTo.NEXT_TRANSACTION,
            loses=(Loss(1, "row", f"the table of GTID positions {row}"),),
        ),
    )
