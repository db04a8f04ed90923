"""What tables are, and changes of that."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.schema.table import Column, Table, TableName, UniqueKey
from replfix.core.sql.names import identifier, table_name


def hold_definition(name: TableName) -> str:
    """Reads nothing. Within a transaction it keeps anybody from altering the table or its triggers until that ends."""
    return f"SELECT 1 FROM {table_name(name)} LIMIT 0"


def show_create_table(name: TableName) -> str:
    return f"SHOW CREATE TABLE {table_name(name)}"


def show_create_schema(schema: str) -> str:
    return f"SHOW CREATE DATABASE {identifier(schema)}"


def compare_bytes(table: TableName, column: Column) -> str:
    """The column with the collation of its character set that tells every two different texts apart."""
    nullable = "" if column.nullable else " NOT NULL"
    return (
        f"ALTER TABLE {table_name(table)} MODIFY {identifier(column.name)} {column.column_type} "
        f"CHARACTER SET {column.charset} COLLATE {column.charset}_bin{nullable}"
    )


def alter_table(name: TableName, clauses: Sequence[str]) -> str:
    return f"ALTER TABLE {table_name(name)} {', '.join(clauses)}"


def copy_table(name: TableName, copy: TableName) -> str:
    """Its rows in a table of their own."""
    return f"CREATE TABLE {table_name(copy)} AS SELECT * FROM {table_name(name)}"


def rename_table(name: TableName, new: TableName) -> str:
    return f"RENAME TABLE {table_name(name)} TO {table_name(new)}"


def drop_table(name: TableName) -> str:
    return f"DROP TABLE {table_name(name)}"


def placeholder_table(name: TableName) -> str:
    """A table that is there to be dropped."""
    return f"CREATE TABLE {table_name(name)} (id INT)"


def key_over_whole_columns(table: Table, key: UniqueKey) -> str:
    """The key made anew without prefixes, in one ALTER, so that the rows are never without it."""
    parts = ", ".join(identifier(p.column) if p.column is not None else f"({p.expression})" for p in key.parts)
    if key.is_primary:
        return f"ALTER TABLE {table_name(table.name)} DROP PRIMARY KEY, ADD PRIMARY KEY ({parts})"
    name = identifier(key.name)
    return f"ALTER TABLE {table_name(table.name)} DROP INDEX {name}, ADD UNIQUE INDEX {name} ({parts})"


def not_unique(table: TableName, key: str, columns: Sequence[str]) -> str:
    """A unique key made one that is not, in one ALTER: look-ups go on using it."""
    name, listed = identifier(key), ", ".join(identifier(column) for column in columns)
    return f"ALTER TABLE {table_name(table)} DROP INDEX {name}, ADD INDEX {name} ({listed})"
