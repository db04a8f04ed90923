"""Which conflicts of a transaction the applier has met, by the error that it gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from replfix.core.binlog.row_event import ChangeKind, RowChange, Transaction
from replfix.core.conflicts.ahead.forecast import Ahead, Effect
from replfix.core.conflicts.reconcile import Conflict, ConflictKind
from replfix.core.replication.applier_error import (
    ER_COULD_NOT_APPLY_JSON_DIFF,
    ER_DUP_ENTRY,
    ER_KEY_NOT_FOUND,
    FOREIGN_KEY_ERRORS,
    MISSING_PARENT_ERRORS,
    ApplierError,
)
from replfix.core.schema.table import Table, TableName

ER_ROW_IS_REFERENCED_2 = 1451
ER_NO_REFERENCED_ROW_2 = 1452


def conflicts_met(
    transaction: Transaction, found: tuple[Conflict, ...], error: ApplierError, tables: Mapping[TableName, Table]
) -> tuple[Ahead, ...]:
    """Return the conflicts that stop the applier, in the transaction's order.

    Proven are those that the server's error is about: it names a table or a key, and never a row. Of a transaction that
    fails with several, the others were not asked for. Where the rows that were compared show none that the error can be
    about, there is one without rows of the replica; none at all for an error that is not about rows.
    """
    met = [conflict for conflict in found if _is_about(error, conflict)]
    if not met and (own := _by_error(transaction, error, tables)) is not None:
        met, found = [own], (own, *found)
    ahead = []
    for conflict in sorted(found, key=lambda each: each.change):
        proven = any(conflict is each for each in met)
        errno = error.errno if proven else _errno(conflict)
        if errno is not None:
            ahead.append(
                Ahead(transaction.id, transaction.committed_at, Effect.STOPS, errno, conflict, True if proven else None)
            )
    return tuple(ahead)


def _errno(conflict: Conflict) -> int | None:
    """Return the error with which the applier stops on it; None where it only overwrites or deletes the row."""
    match conflict.kind:
        case ConflictKind.DUPLICATE:
            return ER_DUP_ENTRY
        case ConflictKind.MISSING:
            return ER_NO_REFERENCED_ROW_2 if conflict.foreign_key else ER_KEY_NOT_FOUND
        case ConflictKind.EXTRA:
            return ER_ROW_IS_REFERENCED_2
        case ConflictKind.DIFFERENT:
            return None


def _is_about(error: ApplierError, conflict: Conflict) -> bool:
    errno, kind = error.errno, conflict.kind
    if errno == ER_DUP_ENTRY:
        return kind is ConflictKind.DUPLICATE and _names(error, conflict.table, conflict.keys)
    if errno == ER_KEY_NOT_FOUND:
        return kind is ConflictKind.MISSING and not conflict.foreign_key
    if errno == ER_COULD_NOT_APPLY_JSON_DIFF:
        return kind is ConflictKind.DIFFERENT
    if errno in FOREIGN_KEY_ERRORS:
        wanted = ConflictKind.MISSING if errno in MISSING_PARENT_ERRORS else ConflictKind.EXTRA
        named = error.foreign_key in (None, conflict.foreign_key)
        return kind is wanted and bool(conflict.foreign_key) and named
    return False


def _names(error: ApplierError, table: TableName, keys: tuple[str, ...]) -> bool:
    """Return whether the error's key is one of those of that table; MySQL names the table before the key (8.0.19)."""
    return error.key is None or any(error.key in (key, f"{table.name}.{key}") for key in keys)


def _by_error(transaction: Transaction, error: ApplierError, tables: Mapping[TableName, Table]) -> Conflict | None:
    """Return what the error alone says."""
    candidates = list(_candidates(transaction, error, tables))
    if not candidates:
        return None
    place, change = candidates[0]
    certain = len(candidates) == 1
    named = [key for key in tables[change.table].unique_keys if _names(error, change.table, (key.name,))]
    keys = named if error.errno == ER_DUP_ENTRY and error.key is not None else ()
    return Conflict(
        kind=ConflictKind.DUPLICATE if error.errno == ER_DUP_ENTRY else ConflictKind.MISSING,
        change=place,
        table=change.table,
        keys=tuple(key.name for key in keys),
        key_columns=keys[0].columns if keys else (),
        expected=change.before if certain else None,
        incoming=change.after if certain else None,
        replica_row=None,
        differences=(),
    )


def _candidates(
    transaction: Transaction, error: ApplierError, tables: Mapping[TableName, Table]
) -> Iterator[tuple[int, RowChange]]:
    """Yield the changes that can have failed so."""
    for place, change in enumerate(transaction.changes):
        table = tables.get(change.table)
        if table is None:
            continue
        if error.errno == ER_DUP_ENTRY and change.kind is not ChangeKind.DELETE:
            if any(_names(error, table.name, (key.name,)) for key in table.unique_keys):
                yield place, change
        elif error.errno == ER_KEY_NOT_FOUND and change.kind is not ChangeKind.INSERT:
            yield place, change
