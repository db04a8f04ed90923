"""Missing rows of which not every column is in the event (binlog_row_image MINIMAL, NOBLOB)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from replfix.core import sql
from replfix.core.columns import type_of
from replfix.core.conflicts.reconcile import InPart
from replfix.core.incident.evidence import Evidence
from replfix.core.plan.plan import SHOWN_ROWS
from replfix.core.plan.plan_steps import alone
from replfix.core.remedies import drift
from replfix.core.remedies.by_hand import rows_by_hand
from replfix.core.remedies.remedy import LeadsTo, Remedy
from replfix.core.rows.lookup import by_identity
from replfix.core.rows.row_diff import logged_in_part
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import Column, Table
from replfix.core.words import counted


def with_made_up_values(table: Table, known: RowImage) -> RowImage | None:
    """Return the row with some value, NULL if allowed, in each column that no event has; None where a key or type forbids it."""
    in_keys = {name.lower() for key in table.unique_keys for name in key.columns}
    values = list(known)
    for column in table.columns:
        if values[column.ordinal] is not NOT_LOGGED or column.generated or column.own:
            continue
        value = None if column.nullable else next(iter(type_of(column).samples(column)), None)
        if (value is None and not column.nullable) or (value is not None and column.name.lower() in in_keys):
            return None
        values[column.ordinal] = value
    return tuple(values)


def changed_by(
    table: Table, known: RowImage, row: RowImage, after: RowImage, is_free: Callable[[Column, RowImage], bool]
) -> tuple[RowImage, str]:
    """Return the row with another value in one of the columns that only ``after`` has, and that column.

    An update that changes nothing is not logged on the replica (MySQL 9.7.4, MariaDB 11.8.9): the servers below would
    never get it. ``is_free``: whether no other row has the key that such a value of a unique key makes.
    """
    in_keys = {name.lower() for key in table.unique_keys for name in key.columns}
    referring = {name.lower() for key in table.foreign_keys for name in key.child_columns}
    overwritten = [
        c
        for c in table.columns
        if known[c.ordinal] is NOT_LOGGED and after[c.ordinal] is not NOT_LOGGED and not c.generated and not c.own
    ]
    for column in sorted(overwritten, key=lambda c: c.name.lower() in in_keys | referring):
        name = column.name.lower()
        for value in (None, *(() if name in referring else type_of(column).samples(column))):
            if value == after[column.ordinal] or (value is None and not column.nullable):
                continue
            changed = (*row[: column.ordinal], value, *row[column.ordinal + 1 :])
            if value is None or name not in in_keys or is_free(column, changed):
                return changed, column.name
    return row, ""


def risks(evidence: Evidence) -> Iterator[str]:
    """Yield which columns get a value that is replaced when the transaction is applied."""
    found = evidence.reconciliation
    for repair, columns in found.made_up.items() if found is not None else ():
        assert repair.target is not None
        yield (
            f"The transaction deletes a row of {repair.table} ({by_identity(evidence.tables[repair.table], repair.target)}) that is missing. The "
            f"event does not have its {', '.join(columns)}: it is put back with other values there, and then the transaction deletes it."
        )
    for repair, column in found.overwritten.items() if found is not None else ():
        assert repair.target is not None
        row = f"a row of {repair.table} ({by_identity(evidence.tables[repair.table], repair.target)}) that is missing"
        yield (
            f"The transaction writes {column} of {row}. The event does not have its value before: it is put back with another value there, "
            "and then the transaction changes it."
            if column
            else f"The transaction writes {row}, and the event does not have the values before: it is put back as the transaction leaves it. The "
            "replica logs no change of it then, and replicas below do not get it."
        )


def advise(evidence: Evidence) -> tuple[Remedy, ...]:
    """Return what can be done where a row cannot be put back as it was then; nothing where all are known."""
    found = evidence.reconciliation
    if found is None or not found.in_part or found.blockers:
        return ()
    gone = [one for one in found.in_part if one.row is None]
    if gone:
        return _gone(evidence, gone)
    rows = {one.repair: one.row for one in found.in_part}
    statements = []
    for repair in found.repairs:
        table, row = evidence.tables[repair.table], rows.get(repair, repair.target)
        if repair.current is not None or row is None or logged_in_part(table, row) or not alone(table, "INSERT"):
            return ()
        statements.append(sql.insert_row(table, row))
    if len(statements) > SHOWN_ROWS:
        return ()
    written = "; ".join(f"{', '.join(one.columns)} of {_named(evidence, one)}" for one in found.in_part if one.columns)
    later = (
        f" Later transactions have written {written}: until the replica has applied them, these values are ahead of it."
        if written
        else ""
    )
    other = "; ".join(f"{one.overwritten} of {_named(evidence, one)}" for one in found.in_part if one.overwritten)
    first = (
        f" {other} is the transaction's to write: it has another value here, because a server logs nothing of an UPDATE that finds everything as "
        "it leaves it."
        if other
        else ""
    )
    return (
        Remedy(
            f"How {counted(len(rows), 'missing row')} {'was' if len(rows) == 1 else 'were'} then is in no event, because binlog_row_image is not FULL "
            f"on the source. This writes the source's values of now where the event has none.{later}{first}",
            rows_by_hand(evidence, *statements),
            LeadsTo.NEXT_ROW,
        ),
    )


def _gone(evidence: Evidence, gone: list[InPart]) -> tuple[Remedy, ...]:
    """Return rows that the source no longer has: whatever the transaction makes of them is gone there."""
    named = ", ".join(_named(evidence, one) for one in gone)
    words = (
        f"The replica lacks {named}, and the source has no such row now either: whatever became of it there is gone."
    )
    names = {
        by_identity(evidence.tables[one.repair.table], one.repair.target)
        for one in gone
        if one.repair.target is not None
    }
    changes = evidence.transaction.changes if evidence.transaction is not None else ()
    if all(c.before is not None and by_identity(evidence.tables[c.table], c.before) in names for c in changes):
        return (drift.nothing_left(evidence, words),)
    return (
        Remedy(
            f"{words} How it was then is in no event (binlog_row_image is not FULL on the source), and the transaction changes other rows too: put a "
            "row with that key there, not logged, and delete it when the channel has got past the transaction."
        ),
    )


def _named(evidence: Evidence, one: InPart) -> str:
    assert one.repair.target is not None
    return f"{one.repair.table} ({by_identity(evidence.tables[one.repair.table], one.repair.target)})"
