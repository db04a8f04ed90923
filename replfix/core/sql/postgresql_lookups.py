"""What a PostgreSQL server is asked about a key, its rows and its sequence, and how the sequence is set right.

Comparisons name the operator of the index, because another one of the same sign can be meant by the account's search_path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from replfix.core.schema.postgresql_key import WHOLE_NUMBERS, IndexPart, TableColumn, UniqueIndex
from replfix.core.schema.postgresql_sequence import ColumnSequence
from replfix.core.sql.postgresql_statements import postgresql_name, postgresql_string

CATALOG = "pg_catalog"
NULL = "null"
"""What PostgreSQL prints in DETAIL for NULL; a text can be the same word."""
CELL_CHARACTERS = 10_000


def postgresql_condition(key: UniqueIndex, values: Sequence[str]) -> str:
    """Return the condition that a row has these values in the key, and is in it where the index is partial."""
    conditions = [_equals(key, part, value) for part, value in zip(key.parts, values, strict=True)]
    if key.predicate is not None:
        # The server puts parentheses around all but a bare column and a call.
        conditions.append(key.predicate if key.predicate.startswith("(") else f"({key.predicate})")
    return " AND ".join(conditions)


def _equals(key: UniqueIndex, part: IndexPart, value: str) -> str:
    compared = f"{part.expression}{_collate(part)} {_operator(part)} {_literal(part, value)}"
    if not key.nulls_not_distinct or value != NULL:
        return compared
    null = f"{part.expression} IS NULL"
    return f"({null} OR {compared})" if part.is_text else null


def _collate(part: IndexPart) -> str:
    return "" if part.collate is None else f" COLLATE {part.collate}"


def _operator(part: IndexPart) -> str:
    schema, name = part.operator
    return name if schema == CATALOG else f"OPERATOR({postgresql_name(schema)}.{name})"


def _literal(part: IndexPart, value: str) -> str:
    if part.compared_as in WHOLE_NUMBERS and re.fullmatch(r"-?[0-9]{1,9}", value):
        return value
    # A literal without a type takes that of the column; what an expression returns is not always what is compared.
    bare = part.column is not None and part.operator[0] == CATALOG
    return postgresql_string(value) if bare else f"{postgresql_string(value)}::{part.compared_as}"


def postgresql_find_shown(key: UniqueIndex, condition: str) -> str:
    """Return the query for people that finds the rows."""
    return f"SELECT * FROM {_table(key)} WHERE {condition}"


def postgresql_select_cells(key: UniqueIndex, condition: str, limit: int) -> str:
    """Query the columns that may be read, each by its type's output function: no cast that somebody defined is run.

    One character more than ``CELL_CHARACTERS`` shows that a value goes on.
    """
    only = "" if key.partitioned else "ONLY "
    cells = ", ".join(map(_cell, key.columns))
    return f"SELECT {cells} FROM {only}{_table(key)} WHERE {condition} LIMIT {limit:d}"


def _cell(column: TableColumn) -> str:
    name = postgresql_name(column.name)
    return (
        f"CASE WHEN {name} IS DISTINCT FROM NULL THEN "
        f"{CATALOG}.left({CATALOG}.format('%s', {name}), {CELL_CHARACTERS + 1}) END"
    )


def _table(key: UniqueIndex) -> str:
    return postgresql_qualified(key.schema, key.table)


def postgresql_qualified(schema: str, name: str) -> str:
    """Return the name of a table, index or sequence with its schema, quoted."""
    return f"{postgresql_name(schema)}.{postgresql_name(name)}"


def postgresql_highest(schema: str, table: str, column: str) -> str:
    """Query MAX of a column."""
    return f"SELECT max({postgresql_name(column)})::text FROM {postgresql_qualified(schema, table)}"


def postgresql_sequence_state(schema: str, name: str) -> str:
    """Query where a sequence is."""
    return f"SELECT last_value::text, is_called FROM {postgresql_qualified(schema, name)}"


def postgresql_compare_sequence(sequence: ColumnSequence) -> str:
    """Query where the sequence is, beside the highest value of its column."""
    return (
        f"SELECT last_value, is_called, (SELECT max({postgresql_name(sequence.column)}) "
        f"FROM {postgresql_qualified(sequence.table_schema, sequence.table)}) AS highest FROM {postgresql_qualified(sequence.schema, sequence.name)}"
    )


def postgresql_advance_sequence(sequence: ColumnSequence) -> str:
    """Set the sequence to the highest value of its column, never back."""
    named = postgresql_qualified(sequence.schema, sequence.name)
    table = postgresql_qualified(sequence.table_schema, sequence.table)
    return (
        f"SELECT setval({postgresql_string(named)}, GREATEST((SELECT max({postgresql_name(sequence.column)}) FROM {table}), "
        f"(SELECT last_value FROM {named})))"
    )


def postgresql_restart_identity(sequence: ColumnSequence, value: int) -> str:
    """Let an identity column go on with ``value``."""
    table = postgresql_qualified(sequence.table_schema, sequence.table)
    return f"ALTER TABLE {table} ALTER COLUMN {postgresql_name(sequence.column)} RESTART WITH {value:d}"


def postgresql_skip_transaction(subscription: str, lsn: str) -> str:
    """Leave a whole remote transaction out (15 and later)."""
    return f"ALTER SUBSCRIPTION {postgresql_name(subscription)} SKIP (lsn = {postgresql_string(lsn)})"


def postgresql_switch_subscription(subscription: str, *, on: bool) -> str:
    """Stop or start what applies a subscription."""
    return f"ALTER SUBSCRIPTION {postgresql_name(subscription)} {'ENABLE' if on else 'DISABLE'}"
