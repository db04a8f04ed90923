"""Routines, triggers, events and views. Names are taken as a statement has them: quoted where that needs it."""

from __future__ import annotations

from replfix.core.schema.table import TableName
from replfix.core.sql.names import identifier, table_name


def show_create(kind: str, name: TableName) -> str:
    """Return SHOW CREATE for an object of that kind."""
    return f"SHOW CREATE {kind} {table_name(name)}"


def drop_object(kind: str, name: TableName) -> str:
    """Return DROP for an object of that kind."""
    return f"DROP {kind} {table_name(name)}"


def drop_foreign_key(child: TableName, name: str) -> str:
    """Return the ALTER TABLE of the child that drops its foreign key."""
    return f"ALTER TABLE {table_name(child)} DROP FOREIGN KEY {identifier(name)}"


def check_table(name: TableName) -> str:
    """Return CHECK TABLE."""
    return f"CHECK TABLE {table_name(name)}"


def repair_table(name: TableName) -> str:
    """Return REPAIR TABLE, not logged."""
    return f"REPAIR NO_WRITE_TO_BINLOG TABLE {table_name(name)}"


def rebuild_table(name: TableName, engine: str) -> str:
    """Return the ALTER TABLE that rebuilds it in its own engine."""
    return f"ALTER TABLE {table_name(name)} ENGINE = {engine}"


def rows_with_null(name: TableName, columns: tuple[str, ...]) -> str:
    """Query the rows that keep those columns from becoming NOT NULL."""
    return f"SELECT * FROM {table_name(name)} WHERE {' OR '.join(f'{identifier(c)} IS NULL' for c in columns)}"
