"""MariaDB cannot write or read its table of GTID positions."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.incident.evidence import Evidence
from replfix.core.incident.known_error import Family, Kind, Thread
from replfix.core.remedies.by_hand import by_hand
from replfix.core.remedies.remedy import LeadsTo, Loss, Remedy

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
    replfix="Names the row that blocks it, and shows what lets the channel continue without skipping a transaction.",
    human="Nothing is wrong with the transaction: do not skip it. Repair the table and start the channel.",
)

_STRAY = re.compile(r"Duplicate entry '(?P<domain>\d+)-(?P<sub>\d+)'")


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    stray = _STRAY.search(evidence.error.message)
    if stray is None:
        return (Remedy(FAMILY.human),)
    domain, number = int(stray["domain"]), int(stray["sub"])
    return (
        Remedy(
            f"Rows in the table of GTID positions block it: domain {domain}, from number {number} on, which the server has not used yet. Nothing is wrong with the transaction: do not skip it. This deletes those rows; the positions that count have lower numbers.",
            by_hand(evidence, sql.delete_gtid_positions(domain, number)),
            LeadsTo.NEXT_TRANSACTION,
            loses=(Loss(None, "row", "mysql.gtid_slave_pos"),),
        ),
    )
