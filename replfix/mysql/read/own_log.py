"""Whether everything that happens to a replica's rows is in its own binlog."""

from __future__ import annotations

from replfix.errors import ServerError
from replfix.mysql.connection.session import Session
from replfix.mysql.connection.terms import LOG_STATUS_STATEMENTS, LOG_UPDATES_VARIABLES
from replfix.mysql.read.status_rows import PARSE_ERROR


def logs_all(session: Session) -> bool:
    """Return whether log_bin and log_replica_updates are ON and no schema is left out (binlog_do_db, binlog_ignore_db)."""
    updates = session.query("SHOW GLOBAL VARIABLES WHERE Variable_name IN %s", (LOG_UPDATES_VARIABLES,))
    if not any("ON" in row.values() for row in updates):
        return False
    for statement in LOG_STATUS_STATEMENTS:
        try:
            rows = session.query(statement)
        except ServerError as error:
            if error.errno != PARSE_ERROR:
                raise
        else:
            return bool(rows) and not (rows[0]["Binlog_Do_DB"] or rows[0]["Binlog_Ignore_DB"])
    return False
