"""Managed clouds keep START REPLICA to themselves and give procedures in its place: one cloud a file.

Which one it is follows from the procedures that the account may call.
"""

from __future__ import annotations

from replfix.core.connection.privileges import Granted
from replfix.mysql.connection.managed import azure, cloud_sql, rds
from replfix.mysql.connection.managed.procedures import Procedures
from replfix.mysql.connection.session import Session

CLOUDS: tuple[Procedures, ...] = (rds.PROCEDURES, azure.PROCEDURES, cloud_sql.PROCEDURES)

_ROUTINES = """
SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES
 WHERE ROUTINE_SCHEMA = 'mysql' AND ROUTINE_TYPE = 'PROCEDURE'"""
"""Lists only what the account may call, or see for another reason."""


def procedures_of(session: Session, granted: Granted) -> Procedures | None:
    """Return the procedures that start replication for this account; None where it may START REPLICA, or has none."""
    if granted.may_start:
        return None
    known = frozenset(str(row["name"]).lower() for row in session.query(_ROUTINES))
    return next((cloud.offered(known) for cloud in CLOUDS if cloud.start.lower() in known), None)
