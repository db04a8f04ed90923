"""PostgreSQL's own way to write the same, for advice about its audit store and its errors."""

from __future__ import annotations


def postgresql_name(name: str) -> str:
    """Return a name quoted with double quotes."""
    return '"' + name.replace('"', '""') + '"'


def postgresql_string(text: str) -> str:
    """Return '…', or E'…' for a string with a backslash or anything unprintable, whatever standard_conforming_strings says."""
    if text.isprintable() and "\\" not in text:
        return "'" + text.replace("'", "''") + "'"
    pieces = (c if c.isprintable() and c not in "\\'" else f"\\U{ord(c):08X}" for c in text if c != "\0")
    return "E'" + "".join(pieces) + "'"


def postgresql_constraint(name: str) -> str:
    """Query which table and columns a constraint or unique index of that name is on."""
    named = postgresql_string(name)
    return (
        "SELECT indrelid::regclass AS table_name, pg_get_indexdef(indexrelid) FROM pg_index "
        f"WHERE indexrelid IN (SELECT oid FROM pg_class WHERE relname = {named})"
    )


def postgresql_sequence(schema: str | None, table: str, column: str) -> tuple[tuple[str, ...], str]:
    """Return the query that shows whether a column's sequence is below its table's ids, and the statement that moves it."""
    quoted = ".".join(postgresql_name(name) for name in (schema, table) if name)
    sequence = f"pg_get_serial_sequence({postgresql_string(quoted)}, {postgresql_string(column)})"
    highest = f"(SELECT MAX({postgresql_name(column)}) FROM {quoted})"
    check = f"SELECT {sequence} AS sequence, pg_sequence_last_value({sequence}::regclass) AS last_value, {highest} AS highest"
    return (check,), f"SELECT setval({sequence}, GREATEST(COALESCE({highest}, 0), 1))"
