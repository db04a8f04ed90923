"""Routines, triggers, events and views, and accounts, as a server shows them."""

from __future__ import annotations

import re

from replfix.core import sql
from replfix.core.binlog.secrets import has_mask, masked
from replfix.core.schema.table import TableName
from replfix.errors import ServerError
from replfix.mysql.connection.session import Session

_NO_SUCH_OBJECT = (1049, 1146, 1305, 1347, 1360, 1539)
_NO_SUCH_ACCOUNT = (1133, 1141)
_SIGNS_IN = re.compile(r" (?:IDENTIFIED|REQUIRE) .*?(?= WITH (?:GRANT|MAX_)|$)", re.DOTALL)


def script(session: Session, kind: str, name: TableName) -> tuple[str, ...]:
    """Return the statements that create an object as this server has it; empty when there is none, or it has a password."""
    try:
        (row,) = session.query(sql.show_create(kind, name))
    except ServerError as error:
        if error.errno in _NO_SUCH_OBJECT:
            return ()
        raise
    shown = {column.lower(): value for column, value in row.items()}
    text = shown.get("sql original statement", shown.get(f"create {kind.lower()}"))
    if text is None or has_mask(masked(str(text))):
        return ()
    mode = shown.get("sql_mode")
    return (sql.use(name.schema), *([sql.set_sql_mode(str(mode))] if mode is not None else []), str(text))


def library_of(session: Session, plugin: str) -> str | None:
    """Return the plugin's library; None when it is not loaded, or is built in."""
    found = [row["PLUGIN_LIBRARY"] for row in session.query(sql.find_plugin(plugin))]
    return str(found[0]) if found and found[0] is not None else None


def grants_of(session: Session, account: str) -> tuple[str, ...] | None:
    """Return SHOW GRANTS without the authentication; None when there is no such account."""
    try:
        return tuple(_SIGNS_IN.sub("", str(row[0])) for row in session.rows(sql.show_grants(account)))
    except ServerError as error:
        if error.errno in _NO_SUCH_ACCOUNT:
            return None
        raise
