"""The replica's row that blocks a statement, or a row logged in part, found by key and value of the server's message.

The value in a message is cut, joined and escaped: it is used only where it cannot be misread, and only for a hint to a
human, never for a plan.
"""

from __future__ import annotations

import re

from replfix.core.binlog.row_event import Transaction
from replfix.core.binlog.statement import NAME, Statement, unquoted
from replfix.core.conflicts.reconcile import Reconciliation
from replfix.core.replication.applier_error import ER_DUP_ENTRY, ApplierError
from replfix.core.rows.lookup import Lookup
from replfix.core.rows.row_values import NOT_LOGGED, Value
from replfix.core.schema.table import KeyPart, Table, TableName, UniqueKey

_CHANGES_ROWS = re.compile(r"\s*(?:INSERT|REPLACE|UPDATE)\b", re.IGNORECASE)
_EQUALS = rf"({NAME})\s*=\s*(-?[0-9]{{1,19}}|'[^'\\\\]*')"
_ONLY_EQUALS = re.compile(rf"\bWHERE\s+(?P<all>{_EQUALS}(?:\s+AND\s+{_EQUALS})*)\s*;?\s*\Z", re.IGNORECASE)
_INTEGER = re.compile(r"-?[0-9]{1,20}\Z")
_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_TEXTS = ("char", "varchar")
_WHOLE = 60
"""Bytes: a value of up to 64 is shown whole (5.7 to 9.7, MariaDB 10.11 to 11.8)."""


def tables_in_question(error: ApplierError, statement: Statement | None) -> tuple[TableName, ...]:
    """Return the table whose key the message can mean; none where it could be another table's key."""
    if (
        error.errno != ER_DUP_ENTRY
        or error.event != "Query"
        or statement is None
        or not _CHANGES_ROWS.match(statement.text)
    ):
        return ()
    return statement.tables if len(statement.tables) == 1 else ()


def row_in_question(
    error: ApplierError, transaction: Transaction | None, found: Reconciliation | None
) -> TableName | None:
    """Return the table of a row event without the key that the message names: its default or the row's value collides."""
    if error.errno != ER_DUP_ENTRY or transaction is None or found is None or found.conflicts:
        return None
    tables = {
        c.table
        for c in transaction.changes
        if str(c.table) == error.table and c.after is not None and NOT_LOGGED in c.after
    }
    return next(iter(tables), None)


def blocking(error: ApplierError, table: Table) -> Lookup | None:
    """Return the look-up of that row; None where key or value can be misread."""
    key = _key(error, table)
    if key is None or error.shown_value is None or _fires(table):
        return None
    if len(key.parts) != 1 or key.parts[0].column is None or key.parts[0].prefix is not None:
        return None
    column = table.column(key.parts[0].column)
    shown = error.shown_value
    value: Value
    if column.data_type in _INTEGERS and _INTEGER.match(shown):
        value = int(shown)
    elif (
        column.data_type in _TEXTS
        and column.charset != "binary"
        and "\\" not in shown
        and len(shown.encode()) <= _WHOLE
    ):
        value = shown
    else:
        return None
    return Lookup(table.name, key.name, key.parts, ((value,),))


def changed_by(statement: Statement, table: Table) -> Lookup | None:
    """Return the look-up of the rows that an UPDATE changes.

    Only where its WHERE just gives values of some columns; None for any other.
    """
    found = _ONLY_EQUALS.search(statement.text)
    parts, values = list[KeyPart](), list[tuple[Value, ...]]()
    for name, value in re.findall(_EQUALS, found["all"]) if found is not None else ():
        column = table.by_name.get(unquoted(name).lower())
        if column is None or column.data_type not in (_TEXTS if value.startswith("'") else _INTEGERS):
            return None
        parts.append(KeyPart(column.name))
        values.append((value[1:-1] if value.startswith("'") else int(value),))
    return Lookup(table.name, "what the statement changes", tuple(parts), tuple(values)) if parts else None


def _key(error: ApplierError, table: Table) -> UniqueKey | None:
    named = [k for k in table.unique_keys if error.key in (k.name, f"{table.name.name}.{k.name}")]
    return named[0] if len(named) == 1 else None


def _fires(table: Table) -> bool:
    """Return whether a trigger may have met the key of another table, which can have the same name."""
    return any(trigger.event in ("INSERT", "UPDATE") for trigger in table.triggers)
