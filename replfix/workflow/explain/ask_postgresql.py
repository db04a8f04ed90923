"""What a PostgreSQL server knows about a duplicate-key error: the key, the rows that have the value, the sequence."""

from __future__ import annotations

from collections.abc import Iterable

from replfix.core import sql
from replfix.core.explain.duplicate import Duplicate, Kind
from replfix.core.explain.explanation import Answer, AskedPostgresql, PostgresqlLocation, PostgresqlReading
from replfix.core.explain.read_text import JOINED_BY, readings
from replfix.core.schema.postgresql_key import UniqueIndex
from replfix.core.schema.postgresql_sequence import ColumnSequence
from replfix.core.words import counted
from replfix.errors import ConnectError, PostgresqlError, PrivilegeError
from replfix.ports import PostgresqlInquiry
from replfix.workflow.explain.ask_mysql import MOST_PLACES, ROWS

DATABASES_NAMED = 8
_NO_SUCH_VALUE = "22"
"""The class of SQLSTATEs of a literal that is no value of its type."""


def ask_postgresql(inquiry: PostgresqlInquiry, duplicate: Duplicate, unknowns: list[str]) -> AskedPostgresql:
    """Return what the server has; what it does not tell is added to ``unknowns``. ConnectError when it is lost."""
    keys = _keys(inquiry, duplicate, unknowns)
    return AskedPostgresql(
        version=inquiry.version(),
        places=tuple(_place(inquiry, key, duplicate, unknowns) for key in keys),
        standby=inquiry.standby(),
        read_only=inquiry.read_only(),
        address=inquiry.address,
    )


def _keys(inquiry: PostgresqlInquiry, duplicate: Duplicate, unknowns: list[str]) -> list[UniqueIndex]:
    chosen = inquiry.unique_indexes(duplicate.key, duplicate.schema, duplicate.table, MOST_PLACES + 1)
    if not chosen and duplicate.table is not None:
        chosen = inquiry.unique_indexes(duplicate.key, None, None, MOST_PLACES + 1)
        if chosen:
            unknowns.append(
                f"The text names the table {duplicate.table}, and {duplicate.key} is of {_tables(chosen)}: a trigger, a rule or a "
                "function that the statement calls wrote there, or it is another database."
            )
    if not chosen and duplicate.kind is Kind.KEY_BUILD:
        unknowns.append(f"{inquiry.address} has no index {duplicate.key}: what fails to be created is not there.")
        return []
    if not chosen:
        others = inquiry.databases(DATABASES_NAMED)
        listed = f"; other databases there: {', '.join(others)}" if others else ""
        unknowns.append(
            f"The database of {inquiry.address} has no unique index or exclusion constraint {duplicate.key}: it was dropped or "
            f"renamed, or the error is from another database or server{listed}."
        )
        return []
    if len(chosen) > MOST_PLACES:
        unknowns.append(
            f"More than {MOST_PLACES} tables have a unique key {duplicate.key}: name the table with --table SCHEMA.TABLE."
        )
        return []
    if len(chosen) > 1:
        unknowns.append(
            f"{counted(len(chosen), 'table')} have a unique key {duplicate.key} ({_tables(chosen)}), and the text leaves open "
            "which is meant: name it with --table SCHEMA.TABLE."
        )
    return chosen


def _tables(keys: Iterable[UniqueIndex]) -> str:
    return ", ".join(f"{key.schema}.{key.table}" for key in keys)


def _place(
    inquiry: PostgresqlInquiry, key: UniqueIndex, duplicate: Duplicate, unknowns: list[str]
) -> PostgresqlLocation:
    found = inquiry.subscriptions(key)
    if found is None:
        unknowns.append("Whether the server applies a subscription: the account may not read pg_subscription.")
    return PostgresqlLocation(
        key=key,
        readings=_readings(inquiry, key, duplicate, unknowns),
        sequence=_sequence(inquiry, key, unknowns),
        subscriptions=found,
    )


def _readings(
    inquiry: PostgresqlInquiry, key: UniqueIndex, duplicate: Duplicate, unknowns: list[str]
) -> tuple[PostgresqlReading, ...]:
    if duplicate.value is None:
        return ()
    divided = readings(duplicate.value, len(key.parts), JOINED_BY[duplicate.dialect])
    if not divided:
        unknowns.append(
            f"The value cannot be divided into the {len(key.parts)} parts of {key.schema}.{key.table}, key {key.name}."
        )
    return tuple(_answer(inquiry, key, values, unknowns) for values in divided)


def _answer(
    inquiry: PostgresqlInquiry, key: UniqueIndex, values: tuple[str, ...], unknowns: list[str]
) -> PostgresqlReading:
    condition = sql.postgresql_condition(key, values)
    query = sql.postgresql_find_shown(key, condition)
    if key.refused is not None:
        unknowns.append(f"Rows of {key.schema}.{key.table} were not looked up: {key.refused}. The query: {query};")
        return PostgresqlReading(values, Answer.NOT_ASKED, query=query)
    try:
        rows = inquiry.rows(key, condition, ROWS)
    except PrivilegeError as error:
        unknowns.append(f"Rows of {key.schema}.{key.table} were not looked up: {error.message}. The query: {query};")
        return PostgresqlReading(values, Answer.NOT_ASKED, query=query)
    except ConnectError:
        raise
    except PostgresqlError as error:
        if error.sqlstate.startswith(_NO_SUCH_VALUE):
            return PostgresqlReading(values, Answer.IMPOSSIBLE)
        unknowns.append(f"Rows of {key.schema}.{key.table} could not be looked up by {key.name}: {error.message}")
        return PostgresqlReading(values, Answer.NOT_ASKED, query=query)
    for cell in {cell.column: cell for row in rows for cell in row if cell.cut}.values():
        unknowns.append(
            f"{cell.column} of a row is longer than {sql.CELL_CHARACTERS:,} characters, and shown up to there."
        )
    return PostgresqlReading(values, Answer.FOUND if rows else Answer.NO_ROW, rows, query)


def _sequence(inquiry: PostgresqlInquiry, key: UniqueIndex, unknowns: list[str]) -> ColumnSequence | None:
    try:
        sequence = inquiry.sequence(key)
    except PrivilegeError as error:
        unknowns.append(f"The sequence of {key.schema}.{key.table} could not be read: {error.message}")
        return None
    except ConnectError:
        raise
    except PostgresqlError as error:
        unknowns.append(f"The sequence of {key.schema}.{key.table} could not be read: {error.message}")
        return None
    if sequence is not None and sequence.last_value is None:
        unknowns.append(f"Where the sequence {sequence.schema}.{sequence.name} is: the account lacks SELECT on it.")
    if sequence is not None and sequence.unread is not None:
        unknowns.append(
            f"MAX({sequence.column}) of {sequence.table_schema}.{sequence.table} could not be read: {sequence.unread}"
        )
    return sequence
