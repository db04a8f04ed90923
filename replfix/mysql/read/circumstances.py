"""What can contribute to a conflict besides rows: counters, events, triggers, a definition's age, a connection."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from replfix.core import sql
from replfix.core.incident.incident_context import Program
from replfix.core.schema.auto_increment import Counter
from replfix.core.schema.table import Column, Table, TableName
from replfix.core.sql.table_facts import TABLE_FACTS, FactRows, TableFact
from replfix.mysql.connection.session import Session
from replfix.mysql.read.table_definitions import counted
from replfix.one_look import look

UNKNOWN_VARIABLE = 1193

_TRIGGERS = """
SELECT TRIGGER_SCHEMA AS `schema`, TRIGGER_NAME AS `name`, ACTION_STATEMENT AS `body`,
  EVENT_OBJECT_SCHEMA AS `on_schema`, EVENT_OBJECT_TABLE AS `on_table`
FROM information_schema.TRIGGERS WHERE INSTR(ACTION_STATEMENT, %s)
"""
_EVENTS = """
SELECT EVENT_SCHEMA AS `schema`, EVENT_NAME AS `name`, EVENT_DEFINITION AS `body`, STATUS AS `status`,
  UNIX_TIMESTAMP(LAST_EXECUTED) AS `last`
FROM information_schema.EVENTS WHERE INSTR(EVENT_DEFINITION, %s)
"""
_CONNECTION = """
SELECT PROCESSLIST_USER AS `user`, PROCESSLIST_HOST AS `host`
FROM performance_schema.threads WHERE PROCESSLIST_ID = %s AND PROCESSLIST_USER IS NOT NULL
"""


def counter(session: Session, table: Table, column: Column) -> Counter:
    """Return the counter of that column as it is now, and its highest value."""
    top = sql.highest(table.name, column.name)
    now = look()
    more = about(session, table.name) if now is not None and now.whole else ()
    with session.at_once(*counted(session, table.name), top, *more):
        following, highest = session.scalar(*counted(session, table.name)), session.scalar(top)
    return Counter(column, None if following is None else int(following), None if highest is None else int(highest))


def about(session: Session, name: TableName) -> tuple[str, ...]:
    """Return the questions about a table that ``fact`` and ``programs`` ask."""
    return (
        *(each.statement(name) for each in TABLE_FACTS),
        session.written(_TRIGGERS, (name.name,)),
        session.written(_EVENTS, (name.name,)),
    )


def fact(session: Session, fact: TableFact, name: TableName) -> FactRows:
    """Return what the server answers about that table."""
    rows = session.rows(fact.statement(name))
    return tuple(tuple(None if value is None else str(value) for value in row) for row in rows)


def _moment(value: object) -> datetime | None:
    return None if value is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(str(value)))


def programs(session: Session, naming: TableName) -> tuple[Program, ...]:
    """Return events and triggers of the whole server whose body has the table's name in it.

    Needs EVENT and TRIGGER: what the account may not see is not there.
    """
    where = (naming.name,)
    triggers = (
        Program("trigger", row["schema"], row["name"], row["body"], on=TableName(row["on_schema"], row["on_table"]))
        for row in session.query(_TRIGGERS, where)
    )
    events = (
        Program(
            "event", row["schema"], row["name"], row["body"], enabled=row["status"] == "ENABLED",
            last_run=_moment(row["last"]),
        )
        for row in session.query(_EVENTS, where)
    )  # fmt: skip
    return (*triggers, *events)


def connected_as(session: Session, connection: int) -> str | None:
    """``user@host`` of a connection that is still open; None when it is not."""
    rows = session.query(_CONNECTION, (connection,))
    return f"{rows[0]['user']}@{rows[0]['host'] or 'localhost'}" if rows else None
