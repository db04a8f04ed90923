"""Who holds locks that the applier may be waiting for."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.binlog.secrets import masked
from replfix.core.incident.evidence import LockHolder
from replfix.core.schema.table import TableName
from replfix.mysql.connection.session import Row, Session

SHOWN = 10
STATEMENT_SHOWN = 200

# Locks of rows (data_locks) and of definitions (metadata_locks) that clients' sessions hold. The age of a transaction is
# taken from performance_schema: INNODB_TRX would need PROCESS.
_HOLDERS = """
SELECT t.PROCESSLIST_ID AS connection, CONCAT(t.PROCESSLIST_USER, '@', t.PROCESSLIST_HOST) AS account,
       FLOOR(COALESCE(x.TIMER_WAIT / 1e12, t.PROCESSLIST_TIME, 0)) AS seconds, l.s AS schema_name, l.t AS table_name,
       (SELECT e.SQL_TEXT FROM performance_schema.events_statements_current e
         WHERE e.THREAD_ID = t.THREAD_ID AND e.NESTING_EVENT_LEVEL = 0 LIMIT 1) AS statement
  FROM (SELECT THREAD_ID AS thread, OBJECT_SCHEMA AS s, OBJECT_NAME AS t FROM performance_schema.data_locks
         WHERE LOCK_STATUS = 'GRANTED' AND (OBJECT_SCHEMA, OBJECT_NAME) IN %(tables)s
         UNION SELECT OWNER_THREAD_ID, OBJECT_SCHEMA, OBJECT_NAME FROM performance_schema.metadata_locks
         WHERE LOCK_STATUS = 'GRANTED' AND OBJECT_TYPE = 'TABLE' AND (OBJECT_SCHEMA, OBJECT_NAME) IN %(tables)s) l
  JOIN performance_schema.threads t ON t.THREAD_ID = l.thread
  LEFT JOIN performance_schema.events_transactions_current x ON x.THREAD_ID = t.THREAD_ID AND x.STATE = 'ACTIVE'
 WHERE t.NAME = 'thread/sql/one_connection' AND t.PROCESSLIST_ID <> CONNECTION_ID()
 ORDER BY seconds DESC, connection, schema_name, table_name"""


def read_lock_holders(session: Session, tables: Sequence[TableName]) -> tuple[LockHolder, ...] | None:
    """Return the lock holders. Needs SELECT on performance_schema.

    None on MariaDB, which shows locks only while somebody waits for them (11.8).
    """
    if session.is_mariadb:
        return None
    if not tables:
        return ()
    names = tuple((name.schema, name.name) for name in tables)
    by_connection: dict[int, list[Row]] = {}
    for row in session.query(_HOLDERS, {"tables": names}):
        by_connection.setdefault(int(row["connection"]), []).append(row)
    return tuple(_holder(connection, rows) for connection, rows in list(by_connection.items())[:SHOWN])


def _holder(connection: int, rows: list[Row]) -> LockHolder:
    return LockHolder(
        connection=connection,
        account=str(rows[0]["account"]),
        seconds=int(rows[0]["seconds"]),
        tables=tuple(f"{row['schema_name']}.{row['table_name']}" for row in rows),
        statement=masked(" ".join(str(rows[0]["statement"] or "").split()))[:STATEMENT_SHOWN],
    )
