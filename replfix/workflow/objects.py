"""What is looked up about an error that no row explains: definitions on both servers, duplicates, holders of locks."""

from __future__ import annotations

from collections.abc import Iterator

from replfix.core.applier_error import ER_DUP_ENTRY, ApplierError
from replfix.core.evidence import BothDefinitions, Duplicates, LockHolder
from replfix.core.known_error import Kind, family_of
from replfix.core.row_event import Transaction
from replfix.core.statement import Statement
from replfix.core.table import Table, TableName, UniqueKey
from replfix.errors import PrivilegeError, ServerError
from replfix.ports import Replica, Server

OBJECTS = 10
"""How many tables of a transaction are compared."""
DUPLICATES_SHOWN = 5


def tables_of(
    error: ApplierError, transaction: Transaction | None, statement: Statement | None
) -> tuple[TableName, ...]:
    """The table that the error names, else those of the transaction."""
    if statement is not None:
        return statement.tables[:OBJECTS]
    touched = tuple(dict.fromkeys(change.table for change in transaction.changes)) if transaction else ()
    named = tuple(name for name in touched if str(name) == error.table)
    return (named or touched)[:OBJECTS]


def compare_definitions(
    replica: Server,
    source: Server,
    error: ApplierError,
    transaction: Transaction | None,
    statement: Statement | None,
    unknowns: list[str],
) -> tuple[BothDefinitions, ...]:
    """Both servers' definitions, for errors that are about definitions."""
    family = family_of(error.errno)
    if family is None or family.kind not in (Kind.SCHEMA_DRIFT, Kind.DATA_REFUSED):
        return ()
    try:
        return tuple(dict.fromkeys(_definitions(replica, source, tables_of(error, transaction, statement), statement)))
    except (PrivilegeError, ServerError) as reason:
        unknowns.append(f"The definitions could not be compared: {reason.message}")
        return ()


def _definitions(
    replica: Server, source: Server, tables: tuple[TableName, ...], statement: Statement | None
) -> Iterator[BothDefinitions]:
    schema = statement.of_schema if statement else None
    if schema is not None:
        yield _both(replica, source, schema, None)
    for name in tables:
        if replica.definition(name.schema, None) is None:  # nothing in it can be there
            yield _both(replica, source, name.schema, None)
        else:
            yield _both(replica, source, name.schema, name.name)


def _both(replica: Server, source: Server, schema: str, table: str | None) -> BothDefinitions:
    return BothDefinitions(schema, table, source.definition(schema, table), replica.definition(schema, table))


def find_duplicates(
    replica: Replica, source: Server, error: ApplierError, statement: Statement | None, unknowns: list[str]
) -> tuple[Duplicates, ...]:
    """Rows of the replica that a unique key does not allow which the source has and the replica is about to get."""
    if error.errno != ER_DUP_ENTRY or statement is None:
        return ()
    found: list[Duplicates] = []
    for name in tables_of(error, None, statement):
        theirs, ours = source.table(name), replica.table(name)
        if theirs is None or ours is None:
            continue
        for key in theirs.unique_keys:
            if not _can_come(key, ours):
                continue
            try:
                values = replica.duplicates(ours, key, DUPLICATES_SHOWN)
            except ServerError as reason:
                unknowns.append(f"Duplicates in {name} could not be counted: {reason.message}")
                continue
            if values:
                found.append(Duplicates(name, key.name, key.columns, values))
    return tuple(found)


def _can_come(key: UniqueKey, table: Table) -> bool:
    """The replica lacks the key, and has every column of it."""
    there = {column.name.lower() for column in table.columns}
    return (
        key.name not in {k.name for k in table.unique_keys}
        and all(part.column is not None for part in key.parts)
        and all(name.lower() in there for name in key.columns)
    )


def find_lock_holders(
    replica: Replica,
    error: ApplierError,
    transaction: Transaction | None,
    statement: Statement | None,
    unknowns: list[str],
) -> tuple[LockHolder, ...]:
    family = family_of(error.errno)
    if family is None or family.kind is not Kind.TRANSIENT:
        return ()
    try:
        return replica.lock_holders(tables_of(error, transaction, statement))
    except (PrivilegeError, ServerError) as reason:
        unknowns.append(f"Who holds locks could not be seen: {reason.message}")
        return ()
