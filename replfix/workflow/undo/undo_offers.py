"""What can be done with the rows of a repair that is not taken back: written on the source, they come to every replica."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from replfix.core import sql
from replfix.core.incident.source_feasibility import Named, SourceFeasibility
from replfix.core.plan.plan import Plan, SourceWrite
from replfix.core.plan.plan_steps import parents_first
from replfix.core.remedies.remedy import SOURCE, LeadsTo, Loss, Remedy
from replfix.core.rows.lookup import by_identity
from replfix.core.rows.row_diff import differing
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName
from replfix.core.strategies.keep_both import under_new_keys
from replfix.core.strategies.source_write import cascade, reaching, written
from replfix.core.words import counted
from replfix.errors import Refused, ReplfixError
from replfix.ports import Server
from replfix.workflow.investigate.errant.follow_errant import circle
from replfix.workflow.investigate.source.check_source import require_parents, side_of
from replfix.workflow.operation import Operation

MOST = 20
"""Rows for which statements are printed; the audit trail has all of them."""

Tables = Mapping[TableName, Table]


def offers(operation: Operation, repair: Plan, tables: Tables, intent: str) -> tuple[Remedy, ...]:
    """Return what can be done for each row of the replica that the repair took out or changed.

    ``tables`` are the replica's, ``intent`` the record that has the rows.
    """
    displaced = [step for step in parents_first(repair.displaced, tables) if step.current is not None]
    if not displaced:
        return ()
    status = operation.replica.status()
    channel = status.channel(repair.channel)
    if channel is None:
        return (_by_hand("The channel of that repair does not exist any more.", intent),)
    if len(displaced) > MOST:
        return (_by_hand(f"{counted(len(displaced), 'row')} were displaced.", intent),)
    stands = {by_identity(tables[step.table], step.target) for step in repair.steps if step.target is not None}
    taken_out, changed = list[Named](), list[Named]()
    for step in displaced:
        assert step.current is not None
        (changed if by_identity(tables[step.table], step.current) in stands else taken_out).append(
            (step.table, step.current)
        )
    try:
        source = operation.source_of(channel)
        rows = (*taken_out, *changed)
        side = side_of(
            operation.replica,
            source,
            source.uuid(),
            channel,
            repair.server_uuid,
            dict(tables),
            rows,
            closed=bool(circle(source, status, [])),
        )
        if side.obstacles:
            return (_by_hand(" ".join(side.obstacles), intent),)
        return (
            *_under_new_keys(source, side, tables, tuple(taken_out), intent),
            *(remedy for name, row in changed for remedy in _values_again(source, side, name, row, intent)),
        )
    except ReplfixError as error:
        return (_by_hand(f"The source could not be asked: {error.message}", intent),)


def _by_hand(why: str, intent: str) -> Remedy:
    return Remedy(f"{why} 'replfix audit show {intent}' prints the rows: enter on the source what is to be kept.")


def _under_new_keys(
    source: Server, side: SourceFeasibility, tables: Tables, rows: tuple[Named, ...], intent: str
) -> Iterator[Remedy]:
    wanted = tuple((name, row) for name, row in rows if not _is_there(side, name, row))
    if not _a_family(tables, wanted):
        refused = {named: why for named in wanted if (why := _no_key(tables, side, named))}
        wanted = tuple(named for named in wanted if named not in refused)
        yield from (_by_hand(why, intent) for why in dict.fromkeys(refused.values()))
    if not wanted:
        return
    try:
        part = SourceWrite(side.uuid, tuple(under_new_keys(tables, side, wanted)))
        part = reaching(part, (source.reach(part.writes),))
        require_parents(source, side.tables, part.steps)
    except Refused as error:
        yield _by_hand(error.message, intent)
        return
    named = ", ".join(str(by_identity(tables[name], row)) for name, row in wanted)
    what = "The row" if len(wanted) == 1 else "The rows"
    yield Remedy(
        f"{what} that the repair took out ({wanted[0][0]}: {named}) can be kept beside the source's: under a new key where its own is "
        f"taken.{_fires(part)}",
        _statements(part),
        LeadsTo.KEPT_EVERYWHERE,
        where=SOURCE,
    )


def _a_family(tables: Tables, rows: tuple[Named, ...]) -> bool:
    """Return whether some of the rows are in tables that reference each other.

    These are kept together, or not at all.
    """
    names = {name for name, _ in rows}
    return any(key.parent in names for name in names for key in tables[name].foreign_keys)


def _no_key(tables: Tables, side: SourceFeasibility, named: Named) -> str:
    try:
        tuple(under_new_keys(tables, side, (named,)))
    except Refused as error:
        return error.message
    return ""


def _fires(part: SourceWrite) -> str:
    return f" Triggers that fire there: {', '.join(map(str, part.fires))}." if part.fires else ""


def _statements(part: SourceWrite) -> tuple[str, ...]:
    steps = (each if isinstance(each, str) else each.sql for each in part.statements)
    return (*sql.SOURCE_UNDO_SETTINGS, "BEGIN", *steps, "COMMIT")


def _is_there(side: SourceFeasibility, name: TableName, row: RowImage) -> bool:
    """Return whether the source has that very row."""
    table = side.tables[name]
    return any(not differing(table, row, held) for _, held in side.holding(table, row))


def _values_again(
    source: Server, side: SourceFeasibility, name: TableName, row: RowImage, intent: str
) -> Iterator[Remedy]:
    table = side.tables[name]
    key = table.identity
    held = next((held for by, held in side.holding(table, row) if key is not None and by == key.name), None)
    if held is None:
        yield _by_hand(f"The source has no row {by_identity(table, row)} of {name} any more.", intent)
        return
    columns = [c for c in differing(table, held, row) if not table.column(c).generated]
    if not columns:
        return
    if taken := [by for by, other in side.holding(table, row) if other != held]:
        yield _by_hand(
            f"Another row of the source has the {', '.join(taken)} of the row {by_identity(table, row)} of {name}.",
            intent,
        )
        return
    step = written(table, held, row)
    try:
        if reason := cascade(step, table):
            raise Refused(reason)
        part = reaching(SourceWrite(side.uuid, (step,)), (source.reach([(name, "UPDATE")]),))
        require_parents(source, side.tables, (step,))
    except Refused as error:
        yield _by_hand(error.message, intent)
        return
    yield Remedy(
        f"The values that the replica had in the row {by_identity(table, row)} of {name} ({', '.join(columns)}) can be written on the "
        f"source, over those that it has now.{_fires(part)}",
        _statements(part),
        LeadsTo.KEPT_EVERYWHERE,
        where=SOURCE,
        loses=tuple(Loss(1, "value", f"{name}.{column}") for column in columns),
    )
