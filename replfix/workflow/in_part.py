"""Missing rows that the event logs in part (binlog_row_image MINIMAL, NOBLOB): the rest is taken from the source's row of now."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import replace

from replfix.core.fit import there
from replfix.core.in_part import with_made_up_values
from replfix.core.lookup import by_identity
from replfix.core.provenance import cascades
from replfix.core.reconcile import Identity, InPart, Reconciliation, Repair, identity_values
from replfix.core.row_diff import logged_in_part
from replfix.core.row_event import RowChange
from replfix.core.table import Table, TableName
from replfix.core.values import NOT_LOGGED, RowImage, laid_over
from replfix.ports import Server
from replfix.workflow.counterparts import ChangesSince


def complete_missing_rows(
    source: Server,
    changes_since: Callable[[], ChangesSince],
    own: tuple[RowChange, ...],
    tables: Mapping[TableName, Table],
    asked: Container[TableName],
    found: Reconciliation,
) -> Reconciliation:
    """The reconciliation with whole rows where the source still has what they lack: no change since then has written it. What the
    failing change writes itself is taken from its after image: the replica writes it again. A row that the failing transaction
    (``own``) deletes only has to be there by its name."""
    found = _deleted_by_itself(own, tables, found)
    wanted = {
        identity: repair
        for repair in found.repairs
        if repair.current is None and repair.target is not None and repair.table in asked
        if logged_in_part(tables[repair.table], repair.target)
        if not cascades(tables[repair.table])  # which write columns in no binlog
        if (identity := _named(tables[repair.table], repair.target)) is not None
    }
    if not wanted:
        return found
    lookups = {i: by_identity(tables[i[0]], r.target) for i, r in wanted.items() if r.target is not None}
    answers = source.find(there(tables), tuple(lookup for lookup in lookups.values() if lookup is not None))
    rows = {i: next(iter(answers[lookup]), None) for i, lookup in lookups.items() if lookup is not None}
    first: dict[Identity, RowImage] = {}
    later: dict[Identity, set[int]] = {}
    changes = changes_since()
    for change in changes:
        table = tables.get(change.table)
        if table is None:
            continue
        for image in (change.before, change.left):
            if image is None or len(image) != len(table.columns) or (name := _named(table, image)) not in wanted:
                continue
            if image is change.before and change.after is not None and name not in first:
                first[name] = change.after
                break
            written = change.after if change.after is not None else image
            later.setdefault(name, set()).update(o for o, value in enumerate(written) if value is not NOT_LOGGED)
    if not changes.whole:
        return found
    whole = {
        repair: replace(repair, target=target)
        for name, repair in wanted.items()
        if (target := _completed(repair.target, first.get(name), rows.get(name), later.get(name, set()))) is not None
    }
    unknown = tuple(
        _in_part(tables[name[0]], repair, rows.get(name), later.get(name, set()))
        for name, repair in wanted.items()
        if repair not in whole
    )
    return replace(found, repairs=tuple(whole.get(repair, repair) for repair in found.repairs), in_part=unknown)


def _in_part(table: Table, repair: Repair, now: RowImage | None, later: Container[int]) -> InPart:
    assert repair.target is not None
    written = [c.name for c in table.columns if repair.target[c.ordinal] is NOT_LOGGED and c.ordinal in later]
    return InPart(repair, laid_over(now, repair.target) if now is not None else None, tuple(written))


def _deleted_by_itself(
    own: tuple[RowChange, ...], tables: Mapping[TableName, Table], found: Reconciliation
) -> Reconciliation:
    whole: dict[Repair, Repair] = {}
    made_up: dict[Repair, tuple[str, ...]] = {}
    for repair in found.repairs:
        table = tables[repair.table]
        if repair.current is not None or repair.target is None or not logged_in_part(table, repair.target):
            continue
        if _is_deleted(own, table, repair.target) and (target := with_made_up_values(table, repair.target)) is not None:
            whole[repair] = replace(repair, target=target)
            made_up[whole[repair]] = tuple(c.name for c in table.columns if repair.target[c.ordinal] is NOT_LOGGED)
    return replace(found, repairs=tuple(whole.get(repair, repair) for repair in found.repairs), made_up=made_up)


def _is_deleted(own: tuple[RowChange, ...], table: Table, row: RowImage) -> bool:
    """Whether that very row goes. One that an update moves to another key goes on there, with whatever values it has here."""
    here = by_identity(table, row)
    for change in own:
        if here is None or change.table != table.name or change.before is None:
            continue
        if by_identity(table, change.before) == here:
            if change.after is None:
                return True
            here = None if change.left is None else by_identity(table, change.left)
    return False


def _completed(
    known: RowImage | None, written: RowImage | None, now: RowImage | None, later: Container[int]
) -> RowImage | None:
    """None where a column of it has been written since, or the source has no such row any more."""
    if known is None or written is None or now is None:
        return None
    values = []
    for ordinal, value in enumerate(known):
        if value is NOT_LOGGED and (value := written[ordinal]) is NOT_LOGGED:
            if ordinal in later:
                return None
            value = now[ordinal]
        values.append(value)
    return tuple(values)


def _named(table: Table, image: RowImage) -> Identity | None:
    values = identity_values(table, image)
    return (table.name, values) if values is not None else None
