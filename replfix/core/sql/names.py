"""How names and texts are written."""

from __future__ import annotations

from replfix.core.schema.table import TableName


def identifier(name: str) -> str:
    """Return a name quoted with backquotes."""
    return "`" + name.replace("`", "``") + "`"


def table_name(name: TableName) -> str:
    """With its schema; without where that is not known (in texts for people only)."""
    return ".".join(identifier(part) for part in (name.schema, name.name) if part)


def string(text: str) -> str:
    """Return a string literal in the session's character set."""
    if text.isprintable():
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return f"_utf8mb4 0x{text.encode('utf-8').hex().upper()}"
