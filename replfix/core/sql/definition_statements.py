"""What tables are, and changes of that."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.schema.table import Column, Table, TableName, UniqueKey
from replfix.core.sql.names import identifier, table_name


def hold_definition(name: TableName) -> str:
    """Return a query of no rows; until its transaction ends, nobody can alter the table or its triggers."""
    return f"SELECT 1 FROM {table_name(name)} LIMIT 0"


def show_create_table(name: TableName) -> str:
    """Return SHOW CREATE TABLE."""
    return f"SHOW CREATE TABLE {table_name(name)}"


def show_create_schema(schema: str) -> str:
    """Return SHOW CREATE DATABASE."""
    return f"SHOW CREATE DATABASE {identifier(schema)}"


def compare_bytes(table: TableName, column: Column) -> str:
    """Return the column with the collation of its character set under which every two different texts differ."""
    nullable = "" if column.nullable else " NOT NULL"
    return (
        f"ALTER TABLE {table_name(table)} MODIFY {identifier(column.name)} {column.column_type} "
        f"CHARACTER SET {column.charset} COLLATE {column.charset}_bin{nullable}"
    )


def alter_table(name: TableName, clauses: Sequence[str]) -> str:
    """Return one ALTER TABLE of those clauses."""
    return f"ALTER TABLE {table_name(name)} {', '.join(clauses)}"


def copy_table(name: TableName, copy: TableName) -> str:
    """Return the statements that copy its rows into a table of their own."""
    return f"CREATE TABLE {table_name(copy)} AS SELECT * FROM {table_name(name)}"


def rename_table(name: TableName, new: TableName) -> str:
    """Return RENAME TABLE."""
    return f"RENAME TABLE {table_name(name)} TO {table_name(new)}"


def drop_table(name: TableName) -> str:
    """Return DROP TABLE."""
    return f"DROP TABLE {table_name(name)}"


def placeholder_table(name: TableName) -> str:
    """Create a table only so that it can be dropped."""
    return f"CREATE TABLE {table_name(name)} (id INT)"


def key_over_whole_columns(table: Table, key: UniqueKey) -> str:
    """Return the ALTER that rebuilds the key without prefixes: one statement, so that the rows are never without it."""
    parts = ", ".join(identifier(p.column) if p.column is not None else f"({p.expression})" for p in key.parts)
    if key.is_primary:
        return f"ALTER TABLE {table_name(table.name)} DROP PRIMARY KEY, ADD PRIMARY KEY ({parts})"
    name = identifier(key.name)
    return f"ALTER TABLE {table_name(table.name)} DROP INDEX {name}, ADD UNIQUE INDEX {name} ({parts})"


def not_unique(table: TableName, key: str, columns: Sequence[str]) -> str:
    """Return the ALTER that makes a unique key a plain one: one statement, so that look-ups always have an index."""
    name, listed = identifier(key), ", ".join(identifier(column) for column in columns)
    return f"ALTER TABLE {table_name(table)} DROP INDEX {name}, ADD INDEX {name} ({listed})"
