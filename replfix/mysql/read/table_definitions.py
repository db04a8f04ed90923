"""Table definitions from information_schema and SHOW INDEX.

Needs SELECT on the table, and TRIGGER to see its triggers: without that privilege the server hides them silently.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from replfix.core.columns import COLUMN_TYPES
from replfix.core.schema.table import Column, ForeignKey, KeyPart, Table, TableName, Trigger, UniqueKey
from replfix.core.sql import table_name
from replfix.mysql.connection.session import Row, Session
from replfix.mysql.connection.terms import HIDDEN

_SIGNED = {name for type_ in COLUMN_TYPES if type_.signed for name in type_.names}
_LABELLED = {name for type_ in COLUMN_TYPES if type_.labels for name in type_.names}

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
_COLUMNS = "SELECT" + COLUMN_FIELDS + "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
_IN_ORDER = " ORDER BY ORDINAL_POSITION"
_KIND = "SELECT TABLE_TYPE AS `kind` FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s"
_COUNTER = """
SELECT AUTO_INCREMENT AS `next` FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s
"""
_LOGGED = ("BASE TABLE", "SEQUENCE")
SYSTEM_VERSIONED = "SYSTEM VERSIONED"
_HASH = "HASH"
_SHOW_INDEX = "SHOW INDEX FROM {}"
_TRIGGERS = """
SELECT TRIGGER_NAME AS `name`, EVENT_MANIPULATION AS `event`, ACTION_TIMING AS `timing`,
  ACTION_STATEMENT AS `body`
FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = %s AND EVENT_OBJECT_TABLE = %s
ORDER BY EVENT_MANIPULATION, ACTION_TIMING, ACTION_ORDER
"""
# Apart, and of one table each: joined, MariaDB opens every table of the server for every row (11.8).
_RULES = """
SELECT CONSTRAINT_SCHEMA AS `schema`, TABLE_NAME AS `table`, CONSTRAINT_NAME AS `name`,
  UPDATE_RULE AS `on_update`, DELETE_RULE AS `on_delete`
FROM information_schema.REFERENTIAL_CONSTRAINTS
"""
_AS_CHILD = _RULES + "WHERE CONSTRAINT_SCHEMA = %s AND TABLE_NAME = %s"
_AS_PARENT = _RULES + "WHERE UNIQUE_CONSTRAINT_SCHEMA = %s AND REFERENCED_TABLE_NAME = %s"
_REFERENCING = """
SELECT CONSTRAINT_NAME AS `name`, COLUMN_NAME AS `child_column`, REFERENCED_TABLE_SCHEMA AS `parent_schema`,
  REFERENCED_TABLE_NAME AS `parent_table`, REFERENCED_COLUMN_NAME AS `parent_column`
FROM information_schema.KEY_COLUMN_USAGE
WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY ORDINAL_POSITION
"""


def read_table(session: Session, name: TableName) -> Table | None:
    """Return the table as the server defines it now; None when there is no such base table, or it may not be seen."""
    with session.at_once(*about(session, name)):
        return _read_table(session, name)


def about(session: Session, name: TableName) -> tuple[str, ...]:
    """Return the questions that ``read_table`` asks of every table."""
    where = [name.schema, name.name]
    before = (
        session.written(text, where) for text in (_TABLE, _KIND, _COLUMNS + _IN_ORDER, _AS_CHILD, _AS_PARENT, _TRIGGERS)
    )
    return (*before, _SHOW_INDEX.format(table_name(name)))


def counted(session: Session, name: TableName) -> tuple[str]:
    """Return the question for the next value of the table's counter."""
    return (session.written(_COUNTER, [name.schema, name.name]),)


def _read_table(session: Session, name: TableName) -> Table | None:
    where = [name.schema, name.name]
    found = session.query(_TABLE, where)
    if not found:
        return None
    columns = _columns(session.query(_COLUMNS + _IN_ORDER, where))
    keys = _unique_keys(session.query(_SHOW_INDEX.format(table_name(name))), columns)
    return Table(
        name=name,
        columns=columns,
        unique_keys=keys,
        engine=str(found[0]["engine"] or ""),
        transactional=found[0]["transactional"] == "YES",
        foreign_keys=_foreign_keys(session, session.query(_AS_CHILD, where)),
        referenced_by=_foreign_keys(session, session.query(_AS_PARENT, where)),
        triggers=tuple(
            Trigger(row["name"], row["event"], row["timing"], row["body"] or "")
            for row in session.query(_TRIGGERS, where)
        ),
        without_overlaps=_over_periods(session, name, columns, keys),
    )


def _over_periods(session: Session, name: TableName, columns: Sequence[Column], keys: Sequence[UniqueKey]) -> bool:
    """Return whether a key is WITHOUT OVERLAPS: only SHOW CREATE TABLE shows that."""
    temporal = {c.name for c in columns if c.data_type in ("date", "datetime", "timestamp")}
    if not session.is_mariadb or not any(len(temporal & set(key.columns)) > 1 for key in keys):
        return False
    return "WITHOUT OVERLAPS" in str(session.rows(f"SHOW CREATE TABLE {table_name(name)}")[0][1])


def read_columns(session: Session, name: TableName) -> tuple[Column, ...]:
    """Return the columns of the table's events; none when it has none. MariaDB logs a sequence as a table of one row."""
    where = [name.schema, name.name]
    if read_kind(session, name) not in _LOGGED:
        return ()
    columns = _columns(session.query(_COLUMNS + _IN_ORDER, where))
    return (*columns, *_hashes(session, name, columns))


def read_kind(session: Session, name: TableName) -> str:
    """Return the kind as information_schema has it; empty when there is no such table.

    ``BASE TABLE``, ``VIEW``, on MariaDB ``SEQUENCE`` and ``SYSTEM VERSIONED`` too.
    """
    return str(session.scalar(_KIND, [name.schema, name.name]) or "")


def _hashes(session: Session, name: TableName, columns: Sequence[Column]) -> Iterator[Column]:
    """Yield the hidden columns that MariaDB adds after all others: a hash of each unique key that is too long for an index.

    ``USING HASH``. They are in its events (10.11.19, 11.8.9).
    """
    if not session.is_mariadb or not any(_LONG.search(column.column_type) for column in columns):
        return
    keys = {
        row["Key_name"]
        for row in session.query(_SHOW_INDEX.format(table_name(name)))
        if row["Index_type"] == _HASH and not int(row["Non_unique"])
    }
    for number in range(len(keys)):
        yield Column(
            f"{HIDDEN}{number + 1}", len(columns) + number, "bigint", "bigint(20) unsigned", True, unsigned=True
        )


_LONG = re.compile(r"text|blob|char|binary|json|geometry|vector", re.IGNORECASE)


def _columns(rows: list[Row]) -> tuple[Column, ...]:
    numbered = {row["name"] for row in rows if "AUTO_INCREMENT" in (row["extra"] or "").upper()}
    counted = _depending(rows, numbered) - numbered
    changing = _depending(rows, {row["name"] for row in rows if _changes(row)})
    return tuple(
        replace(column(ordinal, row), counted=row["name"] in counted, changing=row["name"] in changing)
        for ordinal, row in enumerate(rows)
    )


_CHANGING = re.compile(
    r"\b(?:now|sysdate|cur(?:rent_)?(?:date|time|timestamp)|localtime(?:stamp)?|utc_(?:date|time|timestamp)|unix_timestamp|"
    r"rand|random_bytes|uuid|uuid_short|uuid_v[47]|sys_guid|user|current_user|current_role|session_user|system_user|database|"
    r"schema|connection_id|last_insert_id|row_count|version|benchmark|sleep|nextval|lastval)\b\s*\(|@",
    re.IGNORECASE,
)


_STRING = re.compile(r"'(?:[^'\\]|''|\\.)*'|`(?:[^`]|``)*`", re.DOTALL)


def _changes(row: Row) -> bool:
    return "VIRTUAL" in (row["extra"] or "").upper() and bool(
        _CHANGING.search(_STRING.sub("''", row["expression"] or ""))
    )


def _depending(rows: Sequence[Row], on: set[str]) -> set[str]:
    """Return those columns, and the generated ones that read them, directly or not."""
    found = set(on)
    for _ in rows:
        more = {row["name"] for row in rows if found & set(names_in(row["expression"] or ""))}
        if more <= found:
            break
        found |= more
    return found


def column(ordinal: int, row: Row) -> Column:
    """Return the column of a row of information_schema.COLUMNS with the labels of ``COLUMN_FIELDS``."""
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
        unsigned=data_type in _SIGNED and "unsigned" in column_type.lower(),
        charset=row["charset"],
        collation=row["collation"],
        labels=labels(column_type) if data_type in _LABELLED else (),
        length=None if row["length"] is None else int(row["length"]),
        scale=None if scale is None else int(scale),
        auto_increment="AUTO_INCREMENT" in extra,
        # DEFAULT_GENERATED means a default that is an expression: such a column is an ordinary one.
        generated="VIRTUAL GENERATED" in extra or "STORED GENERATED" in extra or "PERSISTENT" in extra,
        invisible="INVISIBLE" in extra,
        expression=row["expression"] or "",
    )


_QUOTED_NAME = re.compile(r"`((?:[^`]|``)*)`")


def names_in(expression: str) -> Iterator[str]:
    """Return the columns that an expression reads: both servers write them in backquotes."""
    return (match[1].replace("``", "`") for match in _QUOTED_NAME.finditer(expression))


_LABEL = re.compile(r"(x?)'((?:[^'\\]|''|\\.)*)'(?:,|\Z)", re.DOTALL)
_ESCAPED = re.compile(r"''|\\(.)", re.DOTALL)
_CHARACTERS = {"n": "\n", "r": "\r", "0": "\0"}


def labels(column_type: str) -> tuple[str, ...]:
    """Return the labels of ``enum('a','it''s')`` or ``set(…)``, as COLUMN_TYPE spells them in every sql_mode.

    Quotes doubled; backslash, newline, carriage return and zero after a backslash. Characters beyond U+FFFF in labels
    with the character set binary are there in hexadecimal (``x'f09f9880'``); in others they are question marks.
    """
    inner = column_type[column_type.index("(") + 1 : column_type.rindex(")")]
    return tuple(
        bytes.fromhex(match[2]).decode("utf-8", "replace") if match[1] else _ESCAPED.sub(_character, match[2])
        for match in _LABEL.finditer(inner)
    )


def _character(escaped: re.Match[str]) -> str:
    character = escaped[1]
    return "'" if character is None else _CHARACTERS.get(character, character)


def _unique_keys(rows: list[Row], columns: Sequence[Column]) -> tuple[UniqueKey, ...]:
    """Return them from SHOW INDEX: PRIMARY, then unique keys without NULL, then the others; STATISTICS has no such order."""
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


_ARRAY = re.compile(r"cast\((.*) as [^`']* array\)", re.DOTALL)


def unescaped(shown: str) -> str:
    """Return an expression that MySQL shows escaped as a string is."""
    return _ESCAPED.sub(_character, shown)


def key_expression(shown: str, columns: Collection[str]) -> KeyPart:
    """Return the part of a key that SHOW INDEX shows as that expression.

    It is escaped as a string is, every column in backquotes (MySQL 9.7). A name that is only in a string of the
    expression counts as read, too, which does no harm.
    """
    expression = unescaped(shown)
    names = names_in(expression)
    array = _ARRAY.fullmatch(expression)
    return KeyPart(
        None,
        expression=expression,
        reads=tuple(dict.fromkeys(name for name in names if name in columns)),
        array=array[1] if array is not None else None,
    )


def _foreign_keys(session: Session, rules: list[Row]) -> tuple[ForeignKey, ...]:
    """In the order of their tables and names."""
    found = {(TableName(row["schema"], row["table"]), row["name"]): row for row in rules}
    columns: dict[tuple[TableName, str], list[Row]] = defaultdict(list)
    for child in {child for child, _ in found}:
        for row in session.query(_REFERENCING, [child.schema, child.name]):
            columns[child, row["name"]].append(row)
    return tuple(
        ForeignKey(
            name=key[1],
            child=key[0],
            child_columns=tuple(row["child_column"] for row in columns[key]),
            parent=TableName(columns[key][0]["parent_schema"], columns[key][0]["parent_table"]),
            parent_columns=tuple(row["parent_column"] for row in columns[key]),
            on_update=found[key]["on_update"],
            on_delete=found[key]["on_delete"],
        )
        for key in sorted(found.keys() & columns.keys())
    )
