"""Statements about an error of which only the text is known: for a human to run, on a server that nobody asked."""

from __future__ import annotations

from collections.abc import Sequence

from replfix.core.schema.table import TableName
from replfix.core.sql.names import identifier, string, table_name


def find_unique_key(index: str, table: TableName | None) -> str:
    """Query the columns of every unique key of that name, of the table where it is known."""
    named = "" if table is None else f" AND table_name = {string(table.name)}"
    named += "" if table is None or not table.schema else f" AND table_schema = {string(table.schema)}"
    return (
        "SELECT table_schema, table_name, seq_in_index, column_name, sub_part, collation FROM information_schema.statistics "
        f"WHERE non_unique = 0 AND index_name = {string(index)}{named} ORDER BY 1, 2, 3"
    )


def rows_with(table: TableName, values: Sequence[tuple[str, str]], *, begins: bool = False) -> str:
    """Select the rows with these values; ``begins``: the last one is only the beginning of it."""
    conditions = [f"{identifier(name)} = {string(value)}" for name, value in values]
    if begins:
        name, value = values[-1]
        conditions[-1] = f"LEFT({identifier(name)}, {len(value)}) = {string(value)}"
    return f"SELECT * FROM {table_name(table)} WHERE {' AND '.join(conditions)}"


def copies_under_way() -> str:
    """Query the tables that ALTER TABLE and schema-change tools build beside the ones that are used."""
    return (
        "SELECT table_schema, table_name FROM information_schema.tables "
        r"WHERE table_name LIKE '#sql%' OR table_name LIKE '\_%\_new' OR table_name LIKE '\_%\_gho'"
    )


def postgresql_rows_with(schema: str | None, table: str, values: Sequence[tuple[str, str]]) -> str:
    """Select the rows with these values in PostgreSQL; expressions are taken as they are printed."""
    quoted = ".".join(_quoted(name) for name in (schema, table) if name)
    pairs = " AND ".join(f"{_part(name)} = {_text(value)}" for name, value in values)
    return f"SELECT * FROM {quoted} WHERE {pairs}"


def postgresql_triggers(schema: str | None, table: str) -> str:
    """Query a table's triggers, with their definition."""
    quoted = ".".join(_quoted(name) for name in (schema, table) if name)
    return f"SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal AND tgrelid = {_text(quoted)}::regclass"


def show_triggers(table: str) -> str:
    """Return SHOW TRIGGERS for one table of the current schema."""
    return f"SHOW TRIGGERS WHERE `Table` = {string(table)}"


def postgresql_repeated(schema: str | None, table: str, columns: Sequence[str]) -> str:
    """Select values that more than one row has in these columns together."""
    quoted = ".".join(_quoted(name) for name in (schema, table) if name)
    names = ", ".join(map(_part, columns))
    return f"SELECT {names}, count(*) FROM {quoted} GROUP BY {names} HAVING count(*) > 1"


def _part(name: str) -> str:
    return name if "(" in name else _quoted(name)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    if value.isprintable() and "\\" not in value:
        return "'" + value.replace("'", "''") + "'"
    pieces = (c if c.isprintable() and c not in "\\'" else f"\\U{ord(c):08X}" for c in value if c != "\0")
    return "E'" + "".join(pieces) + "'"
