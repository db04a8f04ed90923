"""Whether a transaction is the one that an applier's error is about: what the error names has to be in it.

One rule for transactions from a relay log and from the source. It never says that a transaction *is* the failing one,
only what does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from replfix.core.binlog.row_event import ChangeKind, RowChange, Transaction
from replfix.core.binlog.statement import Statement
from replfix.core.replication.applier_error import ER_DUP_ENTRY, ApplierError
from replfix.core.replication.mariadb_gtid import MariadbGtidSet, split
from replfix.core.rows.row_values import NOT_LOGGED
from replfix.core.schema.table import Table, TableName

ROWS_EVENTS = {
    ChangeKind.INSERT: "Write_rows",
    ChangeKind.UPDATE: "Update_rows",
    ChangeKind.DELETE: "Delete_rows",
}
_FRAME = re.compile(r"(?:BEGIN|COMMIT|ROLLBACK|SAVEPOINT|XA|START)\b", re.IGNORECASE)  # around what a transaction does
_NUMBER = re.compile(r"-?[0-9]{1,20}\Z")
_INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint")
_COMPARED = 200
"""Characters of a statement: the server cuts long ones in its message."""


@dataclass(frozen=True, slots=True)
class RowsEvent:
    """One rows event, as an applier's error names it."""

    event: str  # Write_rows | Update_rows | Delete_rows
    table: str  # schema.table
    end_pos: int  # in the source's log; 0: not known (MariaDB 11.8 gives none)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a transaction is made of. ``tables``: all that its Table_map events name."""

    rows: tuple[RowsEvent, ...]
    tables: frozenset[str]
    statements: tuple[str, ...]
    ends: frozenset[int]  # where its events end; 0: not known


@dataclass(frozen=True, slots=True)
class Group:
    """A transaction in a MariaDB replica's relay log."""

    gtid: str
    contents: Contents


def fits(error: ApplierError, contents: Contents) -> bool:
    """Return whether all that the error names is in the transaction."""
    pos = error.end_log_pos
    if error.event == "Query":
        return _has_statement(error.statement, contents)
    if error.event in ROWS_EVENTS.values():
        return any(
            rows.event == error.event and error.table in (None, rows.table) and (not pos or rows.end_pos in (0, pos))
            for rows in contents.rows
        )
    if error.table is not None and not contents.statements and error.table not in contents.tables:
        return False
    return not pos or 0 in contents.ends or pos in contents.ends


def _has_statement(text: str | None, contents: Contents) -> bool:
    if text is None:
        return bool(contents.statements)
    return any(_begins(statement, text) for statement in contents.statements)


def _begins(statement: str, text: str) -> bool:
    wanted = _shortened(text)
    return _shortened(statement)[: len(wanted)] == wanted


def _shortened(statement: str) -> str:
    return " ".join(statement.split())[:_COMPARED]


def fails_on_rows(transaction: Transaction, error: ApplierError) -> bool:
    """Return whether the error can be about a row event of a transaction that has statements too."""
    if error.event == "Query":
        return False
    return any(error.table in (None, str(c.table)) for c in transaction.changes)


def failing_statement(transaction: Transaction, error: ApplierError) -> Statement | None:
    """Return the statement that failed: by where it ends, else by its text; None where neither shows it."""
    statements, pos = transaction.statements, error.end_log_pos
    if pos is not None and error.log_file in (None, transaction.log_file):
        placed = [statement for statement in statements if statement.end_pos == pos]
        if len(placed) == 1:
            return placed[0]
    if error.statement is not None:
        statements = tuple(s for s in statements if _begins(s.text, error.statement))
    return statements[0] if len(statements) == 1 else None


def unlike(error: ApplierError, transaction: Transaction, tables: Mapping[TableName, Table], *, here: bool) -> str:
    """Return what of the error does not fit a transaction that was read, values included; empty when all fits.

    ``here``: positions are those of the replica's source.
    """
    pos = error.end_log_pos
    placed = here and pos is not None and error.log_file == transaction.log_file
    if placed and pos is not None and not transaction.start_pos < pos <= transaction.end_pos:
        return f"it is at {transaction.log_file}:{transaction.start_pos}-{transaction.end_pos}, and the error is about {pos}"
    if error.event == "Query" and error.statement is not None and not _FRAME.match(error.statement):
        if any(_begins(statement.text, error.statement) for statement in transaction.statements):
            return ""
        return f"it has no statement that begins with {_shortened(error.statement)!r}"
    if error.event not in ROWS_EVENTS.values():
        return ""
    of_kind = [c for c in transaction.changes if ROWS_EVENTS[c.kind] == error.event and str(c.table) == error.table]
    if not of_kind:
        return f"it has no {error.event} event on {error.table}"
    if placed:
        of_kind = [c for c in of_kind if c.event_end_pos == pos] or of_kind
    return _other_value(error, of_kind, transaction, tables)


def _other_value(
    error: ApplierError, changes: list[RowChange], transaction: Transaction, tables: Mapping[TableName, Table]
) -> str:
    """Return why the value in the message cannot come from the transaction; empty where that is not known.

    The value in a message is cut, joined and escaped. Only a whole number in a key of one column is used, and only
    where every row of that event says what it writes there.
    """
    shown, table = error.shown_value, tables.get(changes[0].table)
    if error.errno != ER_DUP_ENTRY or shown is None or table is None or not _NUMBER.match(shown):
        return ""
    name = (error.key or "").removeprefix(f"{table.name.name}.")
    key = next((k for k in table.unique_keys if k.name == name), None)
    if key is None or len(key.parts) != 1 or len(key.columns) != 1 or table.triggers:
        return ""
    column = table.column(key.columns[0])
    logged = transaction.column_names[table.name]
    if column.data_type not in _INTEGERS or column.generated or column.name not in logged[column.ordinal :][:1]:
        return ""
    written = [c.left[column.ordinal] if c.left is not None else None for c in changes]
    if NOT_LOGGED in written or int(shown) in written:
        return ""
    return f"it writes no row with {column.name} {shown} to {table.name}"


def failing_groups(groups: Iterable[Group], executed: MariadbGtidSet, error: ApplierError) -> tuple[str, ...]:
    """Return the transactions of a MariaDB relay log, from the applier's position on, that its error can be about.

    Of each domain, the first that fits. Empty where none does, or where the error does not say which.
    """
    waiting = _waiting(list(groups), executed)
    if all(error.table not in group.contents.tables for group in waiting):
        error = replace(error, table=None)  # a filter of the replica gives its schema another name
    named = error.event or error.table or error.end_log_pos
    if not named and len({split(group.gtid)[0][0] for group in waiting}) > 1:
        return ()
    first: dict[str, str] = {}
    for group in waiting:
        if fits(error, group.contents):
            first.setdefault(split(group.gtid)[0][0], group.gtid)
    return tuple(first.values())


def _waiting(groups: list[Group], executed: MariadbGtidSet) -> list[Group]:
    """Leave out what is applied already: of each domain, up to the last transaction that the replica applied.

    With several domains and parallel threads, the server in GTID mode puts an applier that stopped back to the start of
    the oldest relay log file that it still needs (10.11.19, 11.8.9).
    """
    begin: dict[str, int] = {}
    for number, group in enumerate(groups):
        origin, sequence = split(group.gtid)
        if executed.applied_last(origin[0]) == (origin, sequence):
            begin[origin[0]] = number + 1
    return [
        group
        for number, group in enumerate(groups)
        if number >= begin.get(split(group.gtid)[0][0], 0)
        and not (len(executed.positions) > 1 and group.gtid in executed)
    ]
