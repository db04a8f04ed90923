"""Missing rows that the event logs in part (binlog_row_image MINIMAL, NOBLOB): the rest comes from the source's row now."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace

from replfix.core.binlog.column_mapping import there
from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.moved_rows import Followed, follow, name_of
from replfix.core.conflicts.reconcile import Identity, InPart, Reconciliation, RowRepair
from replfix.core.incident.provenance import cascades
from replfix.core.remedies.partial_images import changed_by, with_made_up_values
from replfix.core.rows.lookup import Lookup, by_identity, by_key
from replfix.core.rows.row_diff import logged_in_part
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, laid_over
from replfix.core.schema.table import Column, Table, TableName
from replfix.ports import Replica, Server
from replfix.workflow.investigate.foreign_keys.find_counterparts import ChangesSince

LOOKS = 3
"""How often the source is asked for rows that get other keys meanwhile."""


def complete_missing_rows(
    replica: Replica,
    source: Server,
    changes_since: Callable[[], ChangesSince],
    own: tuple[RowChange, ...],
    tables: Mapping[TableName, Table],
    asked: Container[TableName],
    found: Reconciliation,
) -> Reconciliation:
    """Return the reconciliation with whole rows, where the source still has the missing columns: no later change wrote them.

    What the failing change writes itself comes from its after image, but for one column: the replica writes it again. A
    row that the failing transaction (``own``) deletes only has to be there by its name.
    """
    found = _deleted_by_itself(own, tables, found)
    wanted = {
        identity: repair
        for repair in found.repairs
        if repair.current is None and repair.target is not None and repair.table in asked
        if logged_in_part(tables[repair.table], repair.target)
        if not cascades(tables[repair.table])  # which write columns in no binlog
        if (identity := name_of(tables[repair.table], repair.target)) is not None
    }
    if not wanted:
        return found
    targets = {name: repair.target for name, repair in wanted.items() if repair.target is not None}
    read = _as_they_went_on(source, changes_since, targets, tables)
    if read is None:
        return found
    rows, now = read

    def to_be_changed(repair: RowRepair, row: RowImage, first: RowImage) -> tuple[RowImage, str | None]:
        if repair.target is None or laid_over(row, first) != row:
            return row, None
        table = tables[repair.table]

        def is_free(column: Column, changed: RowImage) -> bool:
            return not _written(own, table, column, changed) and not _held(replica, table, column, changed)

        return changed_by(table, repair.target, row, first, is_free)

    whole: dict[RowRepair, RowRepair] = {}
    overwritten: dict[RowRepair, str] = {}
    unknown: list[InPart] = []
    for name, repair in wanted.items():
        known, first = repair.target, rows[name].first
        target = _completed(known, rows[name], now[name])
        if known is None or first is None or target is None:
            one = _in_part(tables[name[0]], repair, now[name], rows[name].later)
            if one.row is not None and first is not None:
                row, column = to_be_changed(repair, one.row, first)
                one = replace(one, row=row, overwritten=column or "")
            unknown.append(one)
            continue
        target, column = to_be_changed(repair, target, first)
        whole[repair] = replace(repair, target=target)
        if column is not None:
            overwritten[whole[repair]] = column
    repairs = tuple(whole.get(repair, repair) for repair in found.repairs)
    return replace(found, repairs=repairs, in_part=tuple(unknown), overwritten=overwritten)


def _written(own: tuple[RowChange, ...], table: Table, column: Column, row: RowImage) -> bool:
    """Return whether the failing transaction itself may have such a row, by the value's beginning for a prefix key."""
    value = str(row[column.ordinal])
    images = (image for change in own if change.table == table.name for image in (change.before, change.after) if image)
    return any(str(image[column.ordinal]).startswith(value) for image in images)


def _held(replica: Replica, table: Table, column: Column, row: RowImage) -> bool:
    keys = [key for key in table.unique_keys if column.name.lower() in {name.lower() for name in key.columns}]
    asked = tuple(lookup for key in keys if (lookup := by_key(table, key, row)) is not None)
    return any(replica.find({table.name: table}, asked).values())


def _as_they_went_on(
    source: Server,
    changes_since: Callable[[], ChangesSince],
    targets: Mapping[Identity, RowImage],
    tables: Mapping[TableName, Table],
) -> tuple[dict[Identity, Followed], dict[Identity, RowImage | None]] | None:
    """Return what became of those rows, and the source's rows now.

    The source is asked before its log is read: whatever touched a row meanwhile is in the log. It is asked once more,
    by other names, where a row got another key; None where that goes on, or not all can be read.
    """
    lookups = _lookups(targets, tables)
    for _ in range(LOOKS):
        answers = source.find(there(tables), tuple(dict.fromkeys(lookups.values())))
        changes = changes_since()
        rows = follow(changes, targets, tables)
        if not changes.whole:
            return None
        now = _lookups({name: row.image for name, row in rows.items()}, tables)
        if now == lookups:
            return rows, {name: next(iter(answers[now[name]]), None) if name in now else None for name in targets}
        lookups = now
    return None


def _lookups(images: Mapping[Identity, RowImage | None], tables: Mapping[TableName, Table]) -> dict[Identity, Lookup]:
    asked = {name: by_identity(tables[name[0]], image) if image is not None else None for name, image in images.items()}
    return {name: lookup for name, lookup in asked.items() if lookup is not None}


def _in_part(table: Table, repair: RowRepair, now: RowImage | None, later: Container[int]) -> InPart:
    assert repair.target is not None
    written = [c.name for c in table.columns if repair.target[c.ordinal] is NOT_LOGGED and c.ordinal in later]
    return InPart(repair, laid_over(now, repair.target) if now is not None else None, tuple(written))


def _deleted_by_itself(
    own: tuple[RowChange, ...], tables: Mapping[TableName, Table], found: Reconciliation
) -> Reconciliation:
    whole: dict[RowRepair, RowRepair] = {}
    made_up: dict[RowRepair, tuple[str, ...]] = {}
    for repair in found.repairs:
        table = tables[repair.table]
        if repair.current is not None or repair.target is None or not logged_in_part(table, repair.target):
            continue
        if _is_deleted(own, table, repair.target) and (target := with_made_up_values(table, repair.target)) is not None:
            whole[repair] = replace(repair, target=target)
            made_up[whole[repair]] = tuple(c.name for c in table.columns if repair.target[c.ordinal] is NOT_LOGGED)
    return replace(found, repairs=tuple(whole.get(repair, repair) for repair in found.repairs), made_up=made_up)


def _is_deleted(own: tuple[RowChange, ...], table: Table, row: RowImage) -> bool:
    """Return whether that very row is deleted; one that an update moves to another key continues there."""
    here = by_identity(table, row)
    for change in own:
        if here is None or change.table != table.name or change.before is None:
            continue
        if by_identity(table, change.before) == here:
            if change.after is None:
                return True
            here = None if change.left is None else by_identity(table, change.left)
    return False


def _completed(known: RowImage | None, row: Followed, now: RowImage | None) -> RowImage | None:
    """Return the whole row; none where a column has been written since, or the source no longer has the row."""
    if known is None or row.first is None or now is None:
        return None
    values = []
    for ordinal, value in enumerate(known):
        if value is NOT_LOGGED and (value := row.first[ordinal]) is NOT_LOGGED:
            if ordinal in row.later:
                return None
            value = now[ordinal]
        values.append(value)
    return tuple(values)
