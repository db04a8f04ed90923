"""What writes can set off on a server: its triggers, and what these name, from information_schema.

Needs SELECT and TRIGGER on everything; without them the server hides tables, routines and triggers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from replfix.core.plan.trigger_reach import (
    Fired,
    Kind,
    Named,
    Reach,
    cascading,
    events_in,
    names_in,
    outlasting,
    unbounded,
)
from replfix.core.schema.table import TableName
from replfix.mysql.connection.session import Session
from replfix.mysql.read.table_definitions import read_table

_TABLES = """
SELECT t.TABLE_SCHEMA AS `schema`, t.TABLE_NAME AS `name`, t.TABLE_TYPE AS `type`, e.TRANSACTIONS AS `transactional`
FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_SCHEMA IN %s AND t.TABLE_NAME IN %s ORDER BY 1, 2
"""
_ROUTINES = """
SELECT ROUTINE_SCHEMA AS `schema`, ROUTINE_NAME AS `name` FROM information_schema.ROUTINES
WHERE ROUTINE_SCHEMA IN %s AND ROUTINE_NAME IN %s ORDER BY 1, 2
"""
_LOADED = {  # functions of libraries: where the server lists them
    ("mysql", "func"): "SELECT name AS `name` FROM mysql.func WHERE name IN %s",
    ("performance_schema", "user_defined_functions"): (
        "SELECT UDF_NAME AS `name` FROM performance_schema.user_defined_functions WHERE UDF_NAME IN %s"
    ),
}
_LISTS = """
SELECT TABLE_SCHEMA AS `schema`, TABLE_NAME AS `name` FROM information_schema.TABLES
WHERE TABLE_SCHEMA IN ('mysql', 'performance_schema') AND TABLE_NAME IN ('func', 'user_defined_functions')
"""


def read_reach(session: Session, writes: Iterable[tuple[TableName, str]]) -> Reach:
    """Return the triggers that writes on those tables can fire, each INSERT, UPDATE or DELETE."""
    waiting, seen = list(dict.fromkeys(writes)), set[tuple[TableName, str]]()
    fires: list[Fired] = []
    obstacles: list[str] = []
    while waiting:
        name, event = write = waiting.pop(0)
        if write in seen:
            continue
        seen.add(write)
        table = read_table(session, name)
        for trigger in (t for t in table.triggers if t.event == event) if table is not None else ():
            fires.append(fired := Fired(name, trigger))
            obstacles += outlasting(fired)
            events = events_in(trigger.body)
            for named in _named(session, name.schema, names_in(trigger.body)):
                if reason := unbounded(fired, named):
                    obstacles.append(reason)
                    continue
                other = read_table(session, TableName(named.schema, named.name))
                if other is None or other.name == name:  # a trigger cannot write its own table (error 1442)
                    continue
                obstacles += cascading(fired, other, events)
                waiting += [(other.name, each) for each in sorted(events)]
    return Reach(tuple(fires), tuple(dict.fromkeys(obstacles)))


def _named(session: Session, schema: str, names: frozenset[str]) -> Iterator[Named]:
    """Yield what those names can mean in a trigger of that schema: another schema has to be named too."""
    if not names:
        return
    schemas, those = tuple({schema, *names}), tuple(names)
    for row in session.query(_TABLES, (schemas, those)):
        table = Kind.TABLE if row["transactional"] == "YES" else Kind.OTHER_TABLE
        yield Named(table if row["type"] == "BASE TABLE" else Kind.NO_TABLE, row["schema"], row["name"])
    for row in session.query(_ROUTINES, (schemas, those)):
        yield Named(Kind.ROUTINE, row["schema"], row["name"])
    for row in session.query(_LISTS):
        for function in session.query(_LOADED.get((row["schema"], row["name"]), ""), (those,)):
            yield Named(Kind.ROUTINE, "", function["name"])
