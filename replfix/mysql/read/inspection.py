"""What ``doctor`` reads of a server beside its variables. Changes nothing."""

from __future__ import annotations

import base64
import time

from replfix.core import sql
from replfix.core.connection.endpoint import Endpoint
from replfix.core.doctor.checkup import ClockReading, Connected, Inventory, Some
from replfix.errors import ServerError
from replfix.mysql.connection.session import Session

_SYSTEM = ("mysql", "information_schema", "performance_schema", "sys")
CLOCK_READINGS = 3

_WITHOUT_PRIMARY_KEY = """
SELECT CONCAT(t.TABLE_SCHEMA, '.', t.TABLE_NAME) AS `name`, COUNT(*) OVER () AS `count`
FROM information_schema.TABLES t
WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA NOT IN %(system)s AND NOT EXISTS (
  SELECT 1 FROM information_schema.TABLE_CONSTRAINTS c
  WHERE c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME AND c.CONSTRAINT_TYPE = 'PRIMARY KEY')
ORDER BY 1 LIMIT %(names)s
"""
_NOT_TRANSACTIONAL = """
SELECT CONCAT(t.TABLE_SCHEMA, '.', t.TABLE_NAME, ' (', t.ENGINE, ')') AS `name`, COUNT(*) OVER () AS `count`
FROM information_schema.TABLES t JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_TYPE = 'BASE TABLE' AND t.TABLE_SCHEMA NOT IN %(system)s AND e.TRANSACTIONS <> 'YES'
ORDER BY 1 LIMIT %(names)s
"""
_EVENTS = """
SELECT CONCAT(EVENT_SCHEMA, '.', EVENT_NAME) AS `name`, COUNT(*) OVER () AS `count`
FROM information_schema.EVENTS
WHERE STATUS = 'ENABLED' AND EVENT_SCHEMA NOT IN %(system)s
ORDER BY 1 LIMIT %(names)s
"""
_ENCRYPTED = """
SELECT SSL_ALLOWED AS `ssl` FROM performance_schema.replication_connection_configuration WHERE CHANNEL_NAME = %s
"""


def read_clock(session: Session) -> ClockReading:
    """Return the most certain of a few readings: the server read its clock somewhere between question and answer."""
    readings = []
    for _ in range(CLOCK_READINGS):
        asked = time.time()
        answer = float(session.scalar("SELECT UNIX_TIMESTAMP(NOW(6))"))
        answered = time.time()
        readings.append(ClockReading(answer - (asked + answered) / 2, (answered - asked) / 2))
    return min(readings, key=lambda reading: reading.uncertainty)


def read_connected(session: Session) -> Connected:
    """Return how the session is encrypted and checked."""
    told = session.query("SHOW SESSION STATUS WHERE Variable_name IN ('Ssl_version', 'Ssl_cipher')")
    values = {str(row["Variable_name"]).lower(): str(row["Value"] or "") for row in told}
    endpoint = session.endpoint
    return Connected(
        mode=endpoint.tls.mode,
        tls_version=values.get("ssl_version", ""),
        cipher=values.get("ssl_cipher", ""),
        local=endpoint.local,
        with_password=bool(endpoint.password and endpoint.password.reveal()),
    )


def read_inventory(session: Session, names: int) -> Inventory:
    """Return tables and events that matter to repairs, at most ``names`` names of each."""
    return Inventory(
        without_primary_key=_some(session, _WITHOUT_PRIMARY_KEY, names),
        not_transactional=_some(session, _NOT_TRANSACTIONAL, names),
        enabled_events=_some(session, _EVENTS, names),
    )


def _some(session: Session, query: str, names: int) -> Some:
    rows = session.query(query, {"system": _SYSTEM, "names": names})
    return Some(int(rows[0]["count"]) if rows else 0, tuple(str(row["name"]) for row in rows))


def is_encrypted(session: Session, channel: str) -> bool | None:
    """Return whether the channel's receiver uses TLS; None where the server does not show it."""
    try:
        told = session.scalar(_ENCRYPTED, [channel])
    except ServerError:  # MariaDB before 11 has no such table
        return None
    return None if told is None else str(told).upper() in ("YES", "1")


def try_binlog(endpoint: Endpoint, format_description: bytes) -> None:
    """Run the first statement of every rehearsal.

    The server takes the event in for the session and touches nothing else, even with super_read_only (9.7.4).
    """
    with Session(endpoint) as session:
        session.execute(sql.NOT_LOGGED_SESSION)
        session.execute(sql.binlog_statement(base64.b64encode(format_description).decode()))
