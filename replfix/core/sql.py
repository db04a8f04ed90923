"""The only place that builds SQL text with values and names in it.

Texts are meant for sessions that ``SESSION_SETTINGS`` prepared: sql_mode says how strings are read and what may be
stored, time_zone how TIMESTAMP is. Identifiers are quoted with backquotes, strings as ``_utf8mb4'…'`` or, when they
hold anything unprintable, in hexadecimal: what is shown can be pasted, and nothing in it can speak to a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

from replfix.core.explain.probe import Match
from replfix.core.json_text import UNTOLD, Document, Typed, dump, has_typed
from replfix.core.lookup import Lookup, PartValues, by_identity
from replfix.core.prefix_range import bounds
from replfix.core.select_form import select_form
from replfix.core.table import Column, KeyPart, Table, TableName, UniqueKey
from replfix.core.transaction_id import LogPosition, TransactionId
from replfix.core.values import NOT_LOGGED, Json, RowImage, Value
from replfix.errors import Refused

SESSION_SETTINGS = (
    "SET SESSION time_zone = '+00:00'",
    # Strict, so that nothing is ever stored cut or rounded; zero dates and the id 0 are stored as they are.
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
)


NOT_LOGGED_SESSION = "SET SESSION sql_log_bin = 0"
LOGGED_SESSION = "SET SESSION sql_log_bin = 1"

WITHOUT_FOREIGN_KEYS = "SET SESSION foreign_key_checks = 0"
WITH_FOREIGN_KEYS = "SET SESSION foreign_key_checks = 1"
NOTHING_TAKEN: Mapping[str, int] = MappingProxyType({})

ROWS_LOGGED_SESSION = "SET SESSION binlog_format = 'ROW'"
CHECKED_SESSION = (WITH_FOREIGN_KEYS, "SET SESSION unique_checks = 1")

UNDO_SETTINGS = (NOT_LOGGED_SESSION, *SESSION_SETTINGS)
"""What a session needs in which somebody runs undo statements by hand: values are written for it."""

SOURCE_UNDO_SETTINGS = SESSION_SETTINGS[:2]
"""The same for the source, where it is logged."""


LOCK_SECONDS = 5
IDLE_SECONDS = 3600


def limits(statement_seconds: float) -> str:
    """How long a session waits for a lock, how long the server works for it on one statement, and how long it is kept
    when nothing is heard of it (of a replfix that hangs, with its locks). And that information_schema shows generated
    invisible primary keys (8.0.30+), which the binary log holds: without them the ordinals would be one off.

    MySQL knows the second for SELECTs (max_execution_time, 5.7.8), MariaDB for everything. MariaDB passes over what is
    for MySQL 5.7, MySQL over what is for MariaDB (MariaDB manual, "Comment Syntax").
    """
    milliseconds = round(statement_seconds * 1000)
    return (
        f"SET SESSION lock_wait_timeout = {LOCK_SECONDS}, innodb_lock_wait_timeout = {LOCK_SECONDS}, "
        f"wait_timeout = {IDLE_SECONDS} /*!50708 , max_execution_time = {milliseconds} */ "
        "/*!80030 , show_gipk_in_create_table_and_information_schema = ON */ "
        f"/*M!100101 , max_statement_time = {milliseconds / 1000} */"
    )


def identifier(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def table_name(name: TableName) -> str:
    """With its schema; without where that is not known (in texts for people only)."""
    return ".".join(identifier(part) for part in (name.schema, name.name) if part)


def string(text: str) -> str:
    """A string literal in the session's character set."""
    if text.isprintable():
        return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
    return f"_utf8mb4 0x{text.encode('utf-8').hex().upper()}"


def literal(column: Column, value: Value) -> str:
    """``value`` as it is written for ``column``; ValueError for a value that was not logged, Refused for a JSON document
    that would come out changed."""
    match value:
        case None:
            return "NULL"
        case bool():
            raise ValueError(f"no column holds a bool: {column.name}")
        case int():
            return str(value)
        case Decimal():
            return format(value, "f")
        case float():
            # With an exponent it is a DOUBLE literal, read correctly rounded; without one it would be a DECIMAL.
            text = repr(value)
            return text if "e" in text else f"{text}e0"
        case bytes():
            return _binary(value)
        case Json():
            return _json(column, value)
        case str():
            return string(value)
        case _:
            raise ValueError(f"the value of {column.name} was not logged")


_BY_HAND = "Write the row with a statement of your own, which may turn them into strings."
# The SQL types that CAST makes and that come out of it as they were.
_CAST = re.compile(r"DECIMAL\([0-9]+,[0-9]+\)|DATE|TIME\(6\)|DATETIME\(6\)|BINARY")


def _json(column: Column, value: Json) -> str:
    """A document; values of SQL types inside are written as such, because in JSON text they would turn into doubles
    and strings (MySQL manual, "The JSON Data Type": "JSON_OBJECT" and CAST keep the types of what they are given)."""
    if value.typed is None:
        return f"CAST({string(value.text)} AS JSON)"
    if value.typed is UNTOLD:
        raise Refused(
            f"The JSON document of column {column.name} holds values of SQL types (dates, times or binary strings), and "
            "the server does not tell which of its strings they are: no SQL statement can write it as it was.",
            _BY_HAND,
        )
    if isinstance(value.typed, Typed):
        return f"CAST({_json_part(column, value.typed)} AS JSON)"
    return _json_part(column, value.typed)


def _json_part(column: Column, part: Document) -> str:
    if isinstance(part, Typed):
        if not _CAST.fullmatch(part.type):
            raise Refused(
                f"The JSON document of column {column.name} holds a value of the SQL type {part.type}, which no SQL "
                "statement can write so that it stays one.",
                _BY_HAND,
            )
        written = string(part.value) if isinstance(part.value, str) else _binary(part.value)
        return f"CAST({written} AS {part.type})"
    if not has_typed(part):
        return f"CAST({string(dump(part))} AS JSON)"
    if isinstance(part, dict):
        inner = ", ".join(f"{string(key)}, {_json_part(column, item)}" for key, item in part.items())
        return f"JSON_OBJECT({inner})"
    return f"JSON_ARRAY({', '.join(_json_part(column, item) for item in part)})"


def _binary(value: bytes) -> str:
    return f"0x{value.hex().upper()}" if value else "''"


def _equals(column: Column, value: Value) -> str:
    return f"{identifier(column.name)} = {literal(column, value)}"


def _part_equals(table: Table, part: KeyPart, values: PartValues) -> str:
    if part.column is None:
        return _expression_equals(table, part, values)
    column, value = table.column(part.column), values[0]
    return _equals(column, value) if part.prefix is None else _begins(column, part.prefix, value)


def _begins(column: Column, prefix: int, value: Value) -> str:
    """Compared as the key does: the first characters (bytes of binary strings), under the column's collation."""
    assert isinstance(value, str | bytes)
    name = identifier(column.name)
    low, high = bounds(column, value)
    return " AND ".join(
        (
            f"LEFT({name}, {prefix}) = {literal(column, value)}",
            *([f"{name} >= {literal(column, low)}"] if low is not None else ()),
            *([f"{name} <= {literal(column, high)}"] if high is not None else ()),
        )
    )


def _expression_equals(table: Table, part: KeyPart, values: PartValues) -> str:
    """The expression over the row against the expression over the values, both worked out by the server. Under an
    index that is forced, JSON_OVERLAPS compares an array's elements as the index holds them (MySQL 9.7); without one
    it would take 1 and "1" for different."""
    if part.array is not None:
        return f"JSON_OVERLAPS({part.array}, (SELECT {part.array} FROM {_as_row(table, part, values)}))"
    return f"({part.expression}) = (SELECT {part.expression} FROM {_as_row(table, part, values)})"


def _as_row(table: Table, part: KeyPart, values: PartValues) -> str:
    """The values as a table of one row, with the columns' names, types and collations: JSON_TABLE (8.0.4) makes them.
    NULL is left out of the document, because a JSON column would hold the document ``null`` otherwise."""
    columns = [table.column(name) for name in part.reads]
    pairs = [f"'{n}', {literal(c, v)}" for n, (c, v) in enumerate(zip(columns, values, strict=True)) if v is not None]
    typed = [f"{identifier(c.name)} {_type(c)} PATH '$.\"{n}\"' ERROR ON ERROR" for n, c in enumerate(columns)]
    return f"JSON_TABLE(JSON_OBJECT({', '.join(pairs)}), '$' COLUMNS ({', '.join(typed)})) AS `incoming`"


def _type(column: Column) -> str:
    if column.data_type == "bit":
        # JSON_TABLE fills the odd bits of BIT(9) with some of its own (9.7.4). With whole bytes it is as long, and as much.
        bits = int(column.column_type.lower().removeprefix("bit(").removesuffix(")"))
        return f"BIT({-(-bits // 8) * 8})"
    text = f" CHARACTER SET {column.charset} COLLATE {column.collation}" if column.charset else ""
    return column.column_type + text


def _columns(table: Table) -> str:
    return ", ".join(select_form(c).format(identifier(c.name)) for c in table.columns)


_LIKE = 10  # rows that are like another one: that there are some is what matters


def _matches(table: Table, lookup: Lookup) -> str:
    if lookup.key is None:
        named = (
            (table.column(part.column or ""), value) for part, (value,) in zip(lookup.parts, lookup.values, strict=True)
        )
        if lookup.least is not None:
            return (
                " + ".join(f"({_is(column, value)})" for column, value in named) + f" >= {lookup.least} LIMIT {_LIKE}"
            )
        return " AND ".join(_is(column, value) for column, value in named)
    return " AND ".join(_part_equals(table, p, v) for p, v in zip(lookup.parts, lookup.values, strict=True))


def _found_in(table: Table, lookup: Lookup) -> str:
    forced = lookup.key is not None and any(part.array is not None for part in lookup.parts)
    index = f" FORCE INDEX ({identifier(lookup.key or '')})" if forced else ""
    return f"{table_name(table.name)}{index} WHERE {_matches(table, lookup)}"


def select_row(table: Table, lookup: Lookup, *, locking: bool = False) -> str:
    """One look-up: every column of the rows that match; ``locking`` takes the row (and gap) locks for a write."""
    suffix = " FOR UPDATE" if locking else ""
    return f"SELECT {_columns(table)} FROM {_found_in(table, lookup)}{suffix}"


def select_rows(table: Table, lookups: Sequence[Lookup]) -> str:
    """Several look-ups on one table in one statement; the first column says which of them a row answers."""
    return " UNION ALL ".join(
        f"(SELECT {number}, {_columns(table)} FROM {_found_in(table, lookup)})" for number, lookup in enumerate(lookups)
    )


def count_rows(table: Table, lookups: Sequence[Lookup]) -> str:
    """How many rows answer each of several look-ups on one table, in one statement."""
    return " UNION ALL ".join(
        f"(SELECT {number}, COUNT(*) FROM {_found_in(table, lookup)})" for number, lookup in enumerate(lookups)
    )


def select_any(table: Table, lookups: Sequence[Lookup]) -> str:
    """The rows that answer any of the look-ups, all by one key of columns: which of them, the answer does not say."""
    conditions = " OR ".join(f"({_matches(table, lookup)})" for lookup in lookups)
    return f"SELECT {_columns(table)} FROM {table_name(table.name)} WHERE {conditions}"


_SHORT = "tinyint smallint mediumint int bigint decimal date datetime timestamp time year char varchar binary varbinary"
_IN_A_LIST = frozenset(_SHORT.split())
"""Types whose values a server finds in a list by bisection, and that are never long."""


def select_alike(table: Table, lookups: Sequence[Lookup]) -> str:
    """Look-ups of whole rows, in one pass over the table: the rows whose every column has one of the values that the
    look-ups have there. That is all of the rows in question and some others: whoever asks keeps those that are equal."""
    conditions = []
    for number, part in enumerate(lookups[0].parts):
        column = table.column(part.column or "")
        if column.data_type in _IN_A_LIST:
            values = {lookup.values[number][0] for lookup in lookups}
            given = ", ".join(literal(column, value) for value in values if value is not None)
            among = [f"{identifier(column.name)} IN ({given})"] if given else []
            among += [f"{identifier(column.name)} IS NULL"] if None in values else []
            conditions.append(f"({' OR '.join(among)})")
    if not conditions:
        conditions = [" OR ".join(f"({_matches(table, lookup)})" for lookup in lookups)]
    return f"SELECT {_columns(table)} FROM {table_name(table.name)} WHERE {' AND '.join(conditions)}"


def _is(column: Column, value: Value) -> str:
    """The same to the byte, where ``<=>`` would take José for jose; it comes first for the sake of an index."""
    name = identifier(column.name)
    if isinstance(value, Json):
        # As the server compares documents; SQL types inside one cannot always be written, and are left to the reader.
        try:
            return f"{name} <=> {literal(column, value)}"
        except Refused:
            return f"{name} IS NOT NULL"
    written = literal(column, value)
    if column.data_type == "vector":  # error 1210 for a VECTOR that is compared as it is (MySQL 9.7)
        return f"{select_form(column).format(name)} <=> {written}"
    if not isinstance(value, str) or column.charset is None:
        return f"{name} <=> {written}"
    return f"{name} <=> {written} AND CAST(CONVERT({name} USING utf8mb4) AS BINARY) = CAST({written} AS BINARY)"


def _row_named(table: Table, image: RowImage) -> str:
    """For a statement that is to find one row: of several that are the same, any one."""
    lookup = by_identity(table, image)
    assert lookup is not None  # an identity key holds no NULL, and what is read or inserted was logged
    return _matches(table, lookup) + (" LIMIT 1" if lookup.key is None else "")


def delete_row(table: Table, current: RowImage) -> str:
    return f"DELETE FROM {table_name(table.name)} WHERE {_row_named(table, current)}"


def delete_last_inserted(table: Table, column: str) -> str:
    """The row that this very session inserted last; in any other session it finds none."""
    return f"DELETE FROM {table_name(table.name)} WHERE {identifier(column)} = LAST_INSERT_ID()"


LAST_INSERTED = "SELECT LAST_INSERT_ID()"


def keep_key(number: int) -> str:
    """The AUTO_INCREMENT value that the step of that number was given, for those that take it."""
    return f"SET @key_{number:d} = LAST_INSERT_ID()"


def hold_definition(name: TableName) -> str:
    """Reads nothing. Within a transaction it keeps anybody from altering the table or its triggers until that ends."""
    return f"SELECT 1 FROM {table_name(name)} LIMIT 0"


def insert_row(table: Table, target: RowImage, takes: Mapping[str, int] = NOTHING_TAKEN) -> str:
    """Every column but generated ones; ValueError when a value was not logged. For ``takes`` see ``keep_key``."""
    stored = [c for c in table.columns if not c.generated]
    names = ", ".join(identifier(c.name) for c in stored)
    values = ", ".join(f"@key_{takes[c.name]:d}" if c.name in takes else literal(c, target[c.ordinal]) for c in stored)
    return f"INSERT INTO {table_name(table.name)} ({names}) VALUES ({values})"


def update_row(table: Table, current: RowImage, target: RowImage) -> str:
    """Only the columns that differ and were logged; columns with ON UPDATE keep their value because it is given."""
    changes = [
        f"{identifier(c.name)} = {literal(c, target[c.ordinal])}"
        for c in table.columns
        if not c.generated
        and target[c.ordinal] is not NOT_LOGGED
        and (target[c.ordinal] != current[c.ordinal] or "timestamp" in c.data_type or c.data_type == "datetime")
    ]
    return f"UPDATE {table_name(table.name)} SET {', '.join(changes)} WHERE {_row_named(table, current)}"


def binlog_statement(encoded: str) -> str:
    """The BINLOG statement; ``encoded`` is base64, which holds no quote."""
    return f"BINLOG '{encoded}'"


def size_of_file(path: str) -> str:
    """How many bytes a file of the server's has; NULL when the server does not send it."""
    return f"SELECT LENGTH(LOAD_FILE({string(path)}))"


def piece_of_file(path: str, at: int, length: int) -> str:
    return f"SELECT SUBSTRING(LOAD_FILE({string(path)}), {at + 1:d}, {length:d})"


def set_gtid_next(gtid: str) -> str:
    return f"SET SESSION gtid_next = {string(gtid)}"


def start_replica(
    channel: str,
    *,
    receiver: bool,
    until: TransactionId | None = None,
    before: TransactionId | None = None,
    gaps: bool = False,
) -> str:
    """START REPLICA for one channel; without ``receiver`` the applier only; ``until``: stop after that one,
    ``before``: stop before it, ``gaps``: stop when all is applied that is before the last one committed."""
    threads = "" if receiver else " SQL_THREAD"
    end = ""
    if gaps:
        end = " UNTIL SQL_AFTER_MTS_GAPS"
    elif until is not None:
        end = _until("SQL_AFTER_GTIDS", until, until.end)
    elif before is not None:
        end = _until("SQL_BEFORE_GTIDS", before, before.start)
    return f"START REPLICA{threads}{end} FOR CHANNEL {string(channel)}"


def call(procedure: str, *arguments: str | int) -> str:
    """CALL of a procedure of the schema ``mysql``."""
    shown = ", ".join(string(a) if isinstance(a, str) else str(a) for a in arguments)
    return f"CALL {identifier('mysql')}.{identifier(procedure)}({shown})"


def stop_applier(channel: str) -> str:
    return f"STOP REPLICA SQL_THREAD FOR CHANNEL {string(channel)}"


def _until(gtids: str, transaction: TransactionId, position: LogPosition) -> str:
    if transaction.gtid is not None:
        return f" UNTIL {gtids} = {string(transaction.gtid)}"
    return f" UNTIL SOURCE_LOG_FILE = {string(position.log_file)}, SOURCE_LOG_POS = {position.pos}"


def _shown(table: Table, match: Match) -> str:
    """Rows whose key part is what the server printed of it, compared as the key compares."""
    if match.part.column is None:
        assert isinstance(match.value, str)
        return f"({match.part.expression}) = {string(match.value)}"
    column = table.column(match.part.column)
    if match.printed:
        return f"CAST({identifier(column.name)} AS CHAR) = {literal(column, match.value)}"
    if match.part.prefix is not None:
        return _begins(column, match.part.prefix, match.value)
    return _equals(column, match.value)


def select_shown(table: Table, matches: Sequence[Match], limit: int) -> str:
    """At most ``limit`` rows that a printed key value can mean, every column of them."""
    where = " AND ".join(_shown(table, match) for match in matches)
    return f"SELECT {_columns(table)} FROM {table_name(table.name)} WHERE {where} LIMIT {limit:d}"


def find_shown(table: Table, matches: Sequence[Match]) -> str:
    """The same for somebody to run by hand."""
    return f"SELECT * FROM {table_name(table.name)} WHERE {' AND '.join(_shown(table, match) for match in matches)}"


def highest(table: TableName, column: str) -> str:
    """MAX of a column; reads the end of an index where the column is the first of one."""
    return f"SELECT MAX({identifier(column)}) FROM {table_name(table)}"


def highest_of_each(columns: Sequence[tuple[TableName, str]]) -> str:
    """The same for several in one statement; the first column says which of them it is."""
    return " UNION ALL ".join(
        f"SELECT {number}, MAX({identifier(column)}) FROM {table_name(table)}"
        for number, (table, column) in enumerate(columns)
    )


def numbers_of_class(table: TableName, column: str, least: int, most: int, increment: int, residue: int) -> str:
    """How many rows have a number in that range which leaves ``residue``, the lowest and the highest of them."""
    name = identifier(column)
    return (
        f"SELECT COUNT(*), MIN({name}), MAX({name}) FROM {table_name(table)} "
        f"WHERE {name} BETWEEN {least:d} AND {most:d} AND {name} % {increment:d} = {residue:d}"
    )


def advance_counter(table: TableName, next_value: int) -> str:
    return f"ALTER TABLE {table_name(table)} AUTO_INCREMENT = {next_value:d}"


def widen_counter(table: TableName, column: Column) -> str:
    return f"ALTER TABLE {table_name(table)} MODIFY {identifier(column.name)} BIGINT UNSIGNED NOT NULL AUTO_INCREMENT"


def compare_bytes(table: TableName, column: Column) -> str:
    """The column with the collation of its character set that tells every two different texts apart."""
    nullable = "" if column.nullable else " NOT NULL"
    return (
        f"ALTER TABLE {table_name(table)} MODIFY {identifier(column.name)} {column.column_type} "
        f"CHARACTER SET {column.charset} COLLATE {column.charset}_bin{nullable}"
    )


def key_over_whole_columns(table: Table, key: UniqueKey) -> str:
    """The key made anew without prefixes, in one ALTER, so that the rows are never without it."""
    parts = ", ".join(identifier(p.column) if p.column is not None else f"({p.expression})" for p in key.parts)
    if key.is_primary:
        return f"ALTER TABLE {table_name(table.name)} DROP PRIMARY KEY, ADD PRIMARY KEY ({parts})"
    name = identifier(key.name)
    return f"ALTER TABLE {table_name(table.name)} DROP INDEX {name}, ADD UNIQUE INDEX {name} ({parts})"


def hidden_index(table: TableName, name: str, *, hidden: bool) -> str:
    """An index that no search uses, the applier's included; a unique one goes on being enforced (MySQL's manual, Invisible
    Indexes). Only its definition changes."""
    return f"ALTER TABLE {table_name(table)} ALTER INDEX {identifier(name)} {'INVISIBLE' if hidden else 'VISIBLE'}"


def repeated_values(table: TableName, columns: Sequence[str]) -> str:
    """Values that more than one row has in these columns together."""
    names = ", ".join(identifier(name) for name in columns)
    return f"SELECT {names}, COUNT(*) FROM {table_name(table)} GROUP BY {names} HAVING COUNT(*) > 1"


def _postgresql_identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _postgresql_string(text: str) -> str:
    """As E'…' wherever a backslash or something unprintable is in it, whatever standard_conforming_strings says."""
    if text.isprintable() and "\\" not in text:
        return "'" + text.replace("'", "''") + "'"
    pieces = (c if c.isprintable() and c not in "\\'" else f"\\U{ord(c):08X}" for c in text if c != "\0")
    return "E'" + "".join(pieces) + "'"


def postgresql_constraint(name: str) -> str:
    """Which table and columns a constraint or unique index of that name is on."""
    named = _postgresql_string(name)
    return (
        "SELECT indrelid::regclass AS table_name, pg_get_indexdef(indexrelid) FROM pg_index "
        f"WHERE indexrelid IN (SELECT oid FROM pg_class WHERE relname = {named})"
    )


def postgresql_sequence(schema: str | None, table: str, column: str) -> tuple[tuple[str, ...], str]:
    """What shows whether the sequence behind a column is behind its table, and what sets it right."""
    quoted = ".".join(_postgresql_identifier(name) for name in (schema, table) if name)
    sequence = f"pg_get_serial_sequence({_postgresql_string(quoted)}, {_postgresql_string(column)})"
    highest = f"(SELECT MAX({_postgresql_identifier(column)}) FROM {quoted})"
    check = f"SELECT {sequence} AS sequence, pg_sequence_last_value({sequence}::regclass) AS last_value, {highest} AS highest"
    return (check,), f"SELECT setval({sequence}, GREATEST(COALESCE({highest}, 0), 1))"


def show_create_table(name: TableName) -> str:
    return f"SHOW CREATE TABLE {table_name(name)}"


def show_create_schema(schema: str) -> str:
    return f"SHOW CREATE DATABASE {identifier(schema)}"


def duplicate_values(table: Table, key: UniqueKey, limit: int) -> str:
    """The values of a key's columns that several rows hold, with how many rows; NULLs collide with nothing."""
    parts = [identifier(p.column or "") if p.prefix is None else f"LEFT({identifier(p.column or '')}, {p.prefix})"
             for p in key.parts]  # fmt: skip
    listed = ", ".join(parts)
    held = " AND ".join(f"{part} IS NOT NULL" for part in parts)
    return (
        f"SELECT /*+ MAX_EXECUTION_TIME(20000) */ {listed}, COUNT(*) FROM {table_name(table.name)} WHERE {held} GROUP BY {listed} HAVING COUNT(*) > 1 "
        f"ORDER BY COUNT(*) DESC LIMIT {limit}"
    )


def by_hand(statements: Sequence[str], channel: str, *, super_read_only: bool) -> tuple[str, ...]:
    """Those statements as a human runs them on a replica: not logged, settings put back, the channel started."""
    off, on = ("SET GLOBAL super_read_only = OFF",), ("SET GLOBAL super_read_only = ON",)
    return (
        NOT_LOGGED_SESSION,
        *(off if super_read_only else ()),
        *statements,
        *(on if super_read_only else ()),
        start_replica(channel, receiver=True),
    )


def global_variable(name: str) -> str:
    return f"SELECT @@global.{identifier(name)}"


def set_global_number(name: str, value: int) -> str:
    return f"SET GLOBAL {identifier(name)} = {value:d}"


def persist_number(name: str, value: int) -> str:
    return f"SET PERSIST {name} = {value:d}"


def empty_transaction(gtid: str) -> tuple[str, ...]:
    """Nothing, committed under that GTID: the applier passes over every transaction that gtid_executed holds."""
    return (set_gtid_next(gtid), "BEGIN", "COMMIT", set_gtid_next("AUTOMATIC"))


def empty_transactions(gtids: Sequence[str]) -> tuple[str, ...]:
    """The same for several, one after the other."""
    each = (statement for gtid in gtids for statement in empty_transaction(gtid)[:-1])
    return (*each, set_gtid_next("AUTOMATIC"))


@dataclass(frozen=True, slots=True)
class Numbered:
    """A MariaDB GTID."""

    domain: int
    server: int
    number: int


def nothing_numbered(gtids: Sequence[Numbered]) -> tuple[str, ...]:
    """Statements that MariaDB logs under those GTIDs and that do nothing; it logs no empty transaction (11.8.6)."""
    if not gtids:
        return ()
    each = (
        statement
        for gtid in gtids
        for statement in (
            set_session_number("gtid_domain_id", gtid.domain),
            set_session_number("server_id", gtid.server),
            set_session_number("gtid_seq_no", gtid.number),
            "DROP PROCEDURE IF EXISTS `mysql`.`replfix_nothing`",
        )
    )
    return (*each, "SET SESSION gtid_domain_id = DEFAULT", "SET SESSION server_id = DEFAULT")


def still_in_binlog(gtids: str) -> str:
    """Those of a set that the server would send to a replica that lacks them."""
    return f"SELECT GTID_SUBTRACT({string(gtids)}, @@GLOBAL.gtid_purged)"


BINLOG_STATE = "SELECT @@GLOBAL.gtid_binlog_state"


def skip_by_hand(gtid: str | None, channel: str) -> tuple[str, ...]:
    """Exactly one transaction left out: an empty one in its place, or without GTIDs the skip counter."""
    if gtid is None:
        return ("SET GLOBAL sql_replica_skip_counter = 1", start_replica(channel, receiver=True))
    return (*empty_transaction(gtid), start_replica(channel, receiver=True))


def start_receiver(channel: str) -> str:
    return f"START REPLICA IO_THREAD FOR CHANNEL {string(channel)}"


def change_source(channel: str, options: str) -> tuple[str, ...]:
    """``options`` as they are: for people, with words in them that stand for their own values."""
    return (
        f"STOP REPLICA IO_THREAD FOR CHANNEL {string(channel)}",
        f"CHANGE REPLICATION SOURCE TO {options} FOR CHANNEL {string(channel)}",
        start_receiver(channel),
    )


def fetch_again(channel: str) -> tuple[str, ...]:
    """Throw the relay logs away; with GTIDs, the receiver asks anew for what is not applied."""
    named = f"FOR CHANNEL {string(channel)}"
    return (f"STOP REPLICA {named}", f"RESET REPLICA {named}", start_replica(channel, receiver=True))


def forget_persisted(name: str) -> str:
    """What SET PERSIST has written; the running value stays."""
    return f"RESET PERSIST IF EXISTS {name}"


def set_session_number(name: str, value: int) -> str:
    return f"SET SESSION {identifier(name)} = {value:d}"


def hold_writes(*, mariadb: bool) -> str:
    """Waits for running transactions; replication goes on. MariaDB's accounts with READ_ONLY ADMIN write all the same."""
    return f"SET GLOBAL {'read_only' if mariadb else 'super_read_only'} = ON"


def open_writes(counters: Sequence[tuple[TableName, int]] = (), *, mariadb: bool) -> tuple[str, ...]:
    """For everybody; before that, and without a trace in the binlog, counters are moved ahead."""
    for_administrators = () if mariadb else ("SET GLOBAL super_read_only = OFF",)
    moved = tuple(advance_counter(table, number) for table, number in counters)
    return (
        *for_administrators,
        *((NOT_LOGGED_SESSION, *moved, LOGGED_SESSION) if moved else ()),
        "SET GLOBAL read_only = OFF",
    )


def executed_everywhere(*, mariadb: bool) -> str:
    """What a server has, its own and its sources' transactions."""
    return f"SELECT @@GLOBAL.{'gtid_binlog_state' if mariadb else 'gtid_executed'}"


def sessions_with_other_values(increment: int, offset: int) -> str:
    """Sessions of users whose auto-increment values are others; those that read the binlog insert nothing."""
    return (
        "SELECT t.PROCESSLIST_ID AS id, t.PROCESSLIST_USER AS user, t.PROCESSLIST_HOST AS host, "
        "GROUP_CONCAT(v.VARIABLE_NAME, ' = ', v.VARIABLE_VALUE) AS has "
        "FROM performance_schema.threads t JOIN performance_schema.variables_by_thread v USING (THREAD_ID) "
        f"WHERE ((v.VARIABLE_NAME = 'auto_increment_increment' AND v.VARIABLE_VALUE <> '{increment:d}') "
        f"OR (v.VARIABLE_NAME = 'auto_increment_offset' AND v.VARIABLE_VALUE <> '{offset:d}')) "
        "AND t.PROCESSLIST_ID <> CONNECTION_ID() AND t.NAME LIKE '%one_connection' "
        "AND t.PROCESSLIST_COMMAND NOT LIKE 'Binlog Dump%' GROUP BY t.THREAD_ID"
    )


def sessions_before_this_one() -> str:
    """Sessions of users that are older than the one that asks; those that read the binlog insert nothing."""
    return (
        "SELECT ID, USER, HOST FROM information_schema.PROCESSLIST WHERE ID < CONNECTION_ID() "
        "AND USER NOT IN ('system user', 'event_scheduler') AND COMMAND NOT LIKE 'Binlog Dump%'"
    )


def remainders(table: TableName, column: str, increment: int, rows: int) -> str:
    """Of the newest rows of a table, how many have a number of each class."""
    name = identifier(column)
    return (
        f"SELECT {name} % {increment:d} AS class, COUNT(*), MAX({name}) FROM "
        f"(SELECT {name} FROM {table_name(table)} ORDER BY {name} DESC LIMIT {rows:d}) AS newest GROUP BY class"
    )
