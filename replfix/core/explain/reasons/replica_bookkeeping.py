"""MariaDB's applier could not store which GTID it has applied: no row of a user collides."""

from __future__ import annotations

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain.explanation import Case
from replfix.core.remedies.remedy import Fix

CODE = "replica-bookkeeping"
_TABLE = ("mysql", "gtid_slave_pos")


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if (duplicate.schema, duplicate.table) != _TABLE:
        return None
    domain, _, number = (duplicate.value or "").partition("-")
    read = f"The value is domain {domain}, row {number} of that table." if number else "The value is not in the text."
    return Cause(
        CODE,
        Confidence.HIGH,
        "The collision is in mysql.gtid_slave_pos, where MariaDB stores the replica's position: no row of an application collides.",
        (read, "The transaction itself was rolled back with it, and was not applied."),
        (
            Fix(
                "Look at the rows and at the engine of that table:",
                ("SELECT * FROM mysql.gtid_slave_pos", "SHOW CREATE TABLE mysql.gtid_slave_pos"),
            ),
            Fix(
                "replfix diagnose NAME reads the channel. Do not delete rows there while the applier is running, and do not skip the transaction."
            ),
        ),
    )
