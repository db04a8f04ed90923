"""Table definitions from information_schema and SHOW INDEX.

Needs SELECT on the table, and TRIGGER to see its triggers: without that privilege the server hides them silently.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace

from replfix.core.sql import table_name
from replfix.core.table import Column, ForeignKey, KeyPart, Table, TableName, Trigger, UniqueKey
from replfix.mysql.connection import Row, Session

_NUMERIC = {"tinyint", "smallint", "mediumint", "int", "bigint", "decimal", "float", "double"}

# Every column has an alias: the names of information_schema's own columns differ in case between server versions.
_TABLE = """
SELECT t.ENGINE AS `engine`, e.TRANSACTIONS AS `transactional`
FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
WHERE t.TABLE_SCHEMA = %s AND t.TABLE_NAME = %s AND t.TABLE_TYPE = 'BASE TABLE'
"""
COLUMN_FIELDS = """
  COLUMN_NAME AS `name`, DATA_TYPE AS `data_type`, COLUMN_TYPE AS `column_type`, IS_NULLABLE AS `nullable`,
  CHARACTER_SET_NAME AS `charset`, COLLATION_NAME AS `collation`, CHARACTER_OCTET_LENGTH AS `length`,
  NUMERIC_SCALE AS `numeric_scale`, DATETIME_PRECISION AS `temporal_scale`, EXTRA AS `extra`,
  GENERATION_EXPRESSION AS `expression`
"""
_COLUMNS = (
    "SELECT"
    + COLUMN_FIELDS
    + "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION"
)
_TRIGGERS = """
SELECT TRIGGER_NAME AS `name`, EVENT_MANIPULATION AS `event`, ACTION_TIMING AS `timing`,
  ACTION_STATEMENT AS `body`
FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = %s AND EVENT_OBJECT_TABLE = %s
ORDER BY EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER
"""
_FOREIGN_KEYS = """
SELECT k.CONSTRAINT_NAME AS `name`, k.TABLE_SCHEMA AS `child_schema`, k.TABLE_NAME AS `child_table`,
  k.COLUMN_NAME AS `child_column`, k.REFERENCED_TABLE_SCHEMA AS `parent_schema`,
  k.REFERENCED_TABLE_NAME AS `parent_table`, k.REFERENCED_COLUMN_NAME AS `parent_column`,
  r.UPDATE_RULE AS `on_update`, r.DELETE_RULE AS `on_delete`
FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
  ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
  AND r.TABLE_NAME = k.TABLE_NAME
"""
_ORDER = " ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION"
_AS_CHILD = _FOREIGN_KEYS + "WHERE k.TABLE_SCHEMA = %s AND k.TABLE_NAME = %s" + _ORDER
_AS_PARENT = _FOREIGN_KEYS + "WHERE k.REFERENCED_TABLE_SCHEMA = %s AND k.REFERENCED_TABLE_NAME = %s" + _ORDER


def read_table(session: Session, name: TableName) -> Table | None:
    """The table as the server defines it now; None when there is no such base table, or it may not be seen."""
    where = [name.schema, name.name]
    found = session.query(_TABLE, where)
    if not found:
        return None
    show_generated_keys(session)
    rows = session.query(_COLUMNS, where)
    counted = _counted(rows)
    columns = tuple(replace(column(ordinal, row), counted=row["name"] in counted) for ordinal, row in enumerate(rows))
    return Table(
        name=name,
        columns=columns,
        unique_keys=_unique_keys(session.query(f"SHOW INDEX FROM {table_name(name)}"), columns),
        engine=str(found[0]["engine"] or ""),
        transactional=found[0]["transactional"] == "YES",
        foreign_keys=_foreign_keys(session.query(_AS_CHILD, where)),
        referenced_by=_foreign_keys(session.query(_AS_PARENT, where)),
        triggers=tuple(
            Trigger(row["name"], row["event"], row["timing"], row["body"] or "")
            for row in session.query(_TRIGGERS, where)
        ),
    )


def _counted(rows: Sequence[Row]) -> set[str]:
    """Names of generated columns that depend on the AUTO_INCREMENT column, also by way of others."""
    found = {row["name"] for row in rows if "AUTO_INCREMENT" in (row["extra"] or "").upper()}
    own = set(found)
    for _ in rows:
        # Both servers write an expression's columns in backquotes, as they are named.
        reading = {r["name"]: _QUOTED_NAME.findall(r["expression"] or "") for r in rows}
        more = {name for name, columns in reading.items() if found & {c.replace("``", "`") for c in columns}}
        if more <= found:
            break
        found |= more
    return found - own


def show_generated_keys(session: Session) -> None:
    """A generated invisible primary key is in the binary log; a setting (8.0.30+) can hide it from
    information_schema, and the ordinals would be one off."""
    setting = "show_gipk_in_create_table_and_information_schema"
    rows = session.query("SHOW SESSION VARIABLES LIKE %s", [setting])
    if any("OFF" in row.values() for row in rows):
        session.execute("SET SESSION show_gipk_in_create_table_and_information_schema = ON")


def column(ordinal: int, row: Row) -> Column:
    """From a row of information_schema.COLUMNS with the labels of ``COLUMN_FIELDS``."""
    data_type = row["data_type"].lower()
    extra = (row["extra"] or "").upper()
    column_type = row["column_type"]
    scale = row["numeric_scale"] if data_type == "decimal" else row["temporal_scale"]
    return Column(
        name=row["name"],
        ordinal=ordinal,
        data_type=data_type,
        column_type=column_type,
        nullable=row["nullable"] == "YES",
        unsigned=data_type in _NUMERIC and "unsigned" in column_type.lower(),
        charset=row["charset"],
        collation=row["collation"],
        labels=labels(column_type) if data_type in ("enum", "set") else (),
        length=None if row["length"] is None else int(row["length"]),
        scale=None if scale is None else int(scale),
        auto_increment="AUTO_INCREMENT" in extra,
        # DEFAULT_GENERATED stands for a default that is an expression: such a column is an ordinary one.
        generated="VIRTUAL GENERATED" in extra or "STORED GENERATED" in extra or "PERSISTENT" in extra,
        invisible="INVISIBLE" in extra,
    )


_LABEL = re.compile(r"(x?)'((?:[^'\\]|''|\\.)*)'(?:,|\Z)", re.DOTALL)
_ESCAPED = re.compile(r"''|\\(.)", re.DOTALL)
_CHARACTERS = {"n": "\n", "r": "\r", "0": "\0"}


def labels(column_type: str) -> tuple[str, ...]:
    """The labels of ``enum('a','it''s')`` or ``set(…)``, as COLUMN_TYPE spells them whatever the sql_mode is:
    quotes doubled; backslash, newline, carriage return and zero behind a backslash. Characters beyond U+FFFF in labels
    with the character set binary are there in hexadecimal (``x'f09f9880'``); in others they are question marks."""
    inner = column_type[column_type.index("(") + 1 : column_type.rindex(")")]
    return tuple(
        bytes.fromhex(match[2]).decode("utf-8", "replace") if match[1] else _ESCAPED.sub(_character, match[2])
        for match in _LABEL.finditer(inner)
    )


def _character(escaped: re.Match[str]) -> str:
    character = escaped[1]
    return "'" if character is None else _CHARACTERS.get(character, character)


def _unique_keys(rows: list[Row], columns: Sequence[Column]) -> tuple[UniqueKey, ...]:
    """From SHOW INDEX: PRIMARY, then unique keys that hold no NULL, then the others; STATISTICS has no such order."""
    parts: dict[str, list[KeyPart]] = defaultdict(list)
    for row in rows:
        if int(row["Non_unique"]):
            continue
        # MariaDB and servers before 8.0.13 have no keys on expressions, nor that column.
        expression = row.get("Expression")
        if expression is None:
            prefix = None if row["Sub_part"] is None else int(row["Sub_part"])
            parts[row["Key_name"]].append(KeyPart(row["Column_name"], prefix))
        else:
            parts[row["Key_name"]].append(key_expression(expression, {c.name for c in columns}))
    return tuple(UniqueKey(key, tuple(of_key)) for key, of_key in parts.items())


_QUOTED_NAME = re.compile(r"`((?:[^`]|``)*)`")
_ARRAY = re.compile(r"cast\((.*) as [^`']* array\)", re.DOTALL)


def key_expression(shown: str, columns: Collection[str]) -> KeyPart:
    """The part of a key that SHOW INDEX shows as that expression: escaped as a string is, every column in backquotes
    (MySQL 9.7). A name that only stands in a string of the expression counts as read, too, which does no harm."""
    expression = _ESCAPED.sub(_character, shown)
    names = (match[1].replace("``", "`") for match in _QUOTED_NAME.finditer(expression))
    array = _ARRAY.fullmatch(expression)
    return KeyPart(
        None,
        expression=expression,
        reads=tuple(dict.fromkeys(name for name in names if name in columns)),
        array=array[1] if array is not None else None,
    )


def _foreign_keys(rows: list[Row]) -> tuple[ForeignKey, ...]:
    columns: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        columns[row["child_schema"], row["child_table"], row["name"]].append(row)
    return tuple(
        ForeignKey(
            name=of_key[0]["name"],
            child=TableName(of_key[0]["child_schema"], of_key[0]["child_table"]),
            child_columns=tuple(row["child_column"] for row in of_key),
            parent=TableName(of_key[0]["parent_schema"], of_key[0]["parent_table"]),
            parent_columns=tuple(row["parent_column"] for row in of_key),
            on_update=of_key[0]["on_update"],
            on_delete=of_key[0]["on_delete"],
        )
        for of_key in columns.values()
    )
