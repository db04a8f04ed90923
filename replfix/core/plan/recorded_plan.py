"""A plan read back from the audit trail, for the tables as they are defined now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from replfix.core.columns.json_forms import from_json
from replfix.core.plan.guard import read_guard
from replfix.core.plan.plan import ApplyMode, Plan, Step, StepKind, Undoable
from replfix.core.replication.start_threads import ReceiverFirst
from replfix.core.replication.transaction_id import TransactionId, TransactionRun
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import Table, TableName
from replfix.errors import Refused

_HINT = "Nothing was changed. 'replfix audit show' prints the record with its rows and the SQL that takes it back."

Document = Mapping[str, object]


def tables_named(document: Document) -> tuple[TableName, ...]:
    """Return the tables whose rows the plan is about; Refused when the document is no plan."""
    return tuple(dict.fromkeys(_table(step) for step in _steps(document)))


def read_plan(document: Document, tables: Mapping[TableName, Table | None]) -> Plan:
    """Return what ``plan.to_document`` wrote, but for what it leaves out.

    Refused when a table is not there any more or has other columns now.
    """
    return Plan(
        strategy=_text(document, "strategy"),
        server_uuid=_text(document, "server_uuid"),
        channel=_text(document, "channel"),
        transaction=_transaction(document),
        errno=_number(document, "errno"),
        steps=read_steps(document, tables),
        guards=tuple(filter(None, map(read_guard, _list(document, "guards")))),
        risks=tuple(map(str, _list(document, "risks"))),
        row_events=document.get("row_events") is True,
        way=_way(document),
        undoable=_undoable(document),
        undo_outlook=str(document.get("undo_outlook", "")),
        receiver=_receiver(document),
        run=_run(document),
    )


def transactions_of(document: Document) -> tuple[TransactionId, TransactionRun | None]:
    """Return the failing transaction, and the run that the plan covers from it on. Refused when they cannot be read."""
    return _transaction(document), _run(document)


def _run(document: Document) -> TransactionRun | None:
    said = document.get("run")
    if said is None:
        return None
    last = said.get("last") if isinstance(said, Mapping) else None
    if not isinstance(said, Mapping) or not isinstance(last, Mapping) or (of := _number(said, "transactions")) < 2:
        raise _not_a_plan("run")
    return TransactionRun(_transaction(last), of)


def _transaction(document: Document) -> TransactionId:
    position, gtid = document.get("position"), document.get("gtid")
    at = position if isinstance(position, Mapping) else {}
    return TransactionId(
        gtid if isinstance(gtid, str) else None,
        str(at.get("log_file", "")),
        _number(at, "start_pos"),
        _number(at, "end_pos"),
    )


def read_steps(document: Document, tables: Mapping[TableName, Table | None]) -> tuple[Step, ...]:
    """Return the steps alone, of a plan or of what was written on the source. Refused as ``read_plan``."""
    return tuple(_read_step(step, tables[_table(step)]) for step in _steps(document))


def steps_on(document: Document, tables: Mapping[TableName, Table]) -> Iterator[Step]:
    """Yield those steps alone that are about one of the tables, and have the columns that it has now."""
    for step in _steps(document):
        table = tables.get(_table(step))
        if table is not None:
            with suppress(Refused):
                yield _read_step(step, table)


def as_recorded(tables: Mapping[TableName, Table | None], steps: Iterable[Step]) -> dict[TableName, Table]:
    """Return the tables that are there, with the columns marked that no event contained.

    Of rows that were put back they are unknown.
    """
    own: dict[TableName, set[int]] = {}
    for step in steps:
        if step.target is not None:
            unknown = {ordinal for ordinal, value in enumerate(step.target) if value is NOT_LOGGED}
            own.setdefault(step.table, set()).update(unknown)
    return {
        name: replace(table, columns=tuple(replace(c, own=c.ordinal in own[name]) for c in table.columns))
        if own.get(name)
        else table
        for name, table in tables.items()
        if table is not None
    }


def writes_on_source(document: Document) -> bool:
    """Return whether the plan has a part on the source."""
    return isinstance(document.get("on_source"), Mapping)


def fired(document: Document) -> tuple[str, ...]:
    """Return the triggers that may have fired for what was written on the source, by name."""
    found = document.get("fires")
    each = found if isinstance(found, list) else []
    return tuple(f"{one.get('schema')}.{one.get('name')}" for one in each if isinstance(one, Mapping))


def _way(document: Document) -> ApplyMode:
    said = document.get("way", ApplyMode.APPLY.value)
    if said == "unchecked":  # its name in older records
        return ApplyMode.NET_ROWS
    if said not in [way.value for way in ApplyMode]:
        raise _not_a_plan("way")
    return ApplyMode(said)


def _undoable(document: Document) -> Undoable:
    said = document.get("undoable", Undoable.NOTHING.value)
    if said not in [each.value for each in Undoable]:
        raise _not_a_plan("undoable")
    return Undoable(said)


def _receiver(document: Document) -> ReceiverFirst | None:
    said = document.get("receiver")
    if not isinstance(said, Mapping):
        return None
    return ReceiverFirst(said.get("fetch_again") is True, said.get("put_back") is True)


def _read_step(step: Document, table: Table | None) -> Step:
    name = _table(step)
    if table is None:
        raise Refused(f"The replica has no table {name} any more.", _HINT)
    columns = tuple(map(str, _list(step, "columns")))
    if tuple(c.lower() for c in columns) != tuple(c.name.lower() for c in table.columns):
        raise Refused(
            f"{name} has other columns now than when the record was written ({', '.join(columns)}).",
            _HINT,
        )
    return Step(
        kind=StepKind(_text(step, "kind")),
        table=name,
        columns=columns,
        current=_image(step.get("current"), columns, table),
        target=_image(step.get("target"), columns, table),
        sql=_text(step, "sql"),
        undo_sql=_text(step, "undo_sql"),
        alike=_number(step, "alike"),
        new_key=str(step.get("new_key", "")),
    )


def _image(row: object, columns: Iterable[str], table: Table) -> RowImage | None:
    if row is None:
        return None
    try:
        assert isinstance(row, Mapping)
        return tuple(from_json(column, row[name]) for name, column in zip(columns, table.columns, strict=True))
    except (AssertionError, KeyError, ValueError) as error:
        raise _not_a_plan(f"a row of {table.name}: {error}") from None


def _steps(document: Document) -> list[Document]:
    steps = _list(document, "steps")
    if not all(isinstance(step, Mapping) for step in steps):
        raise _not_a_plan("steps")
    return [step for step in steps if isinstance(step, Mapping)]


def _table(step: Document) -> TableName:
    return TableName(_text(step, "schema"), _text(step, "table"))


def _text(document: Document, name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise _not_a_plan(name)
    return value


def _number(document: Document, name: str) -> int:
    value = document.get(name, 0)
    if not isinstance(value, int):
        raise _not_a_plan(name)
    return value


def _list(document: Document, name: str) -> list[object]:
    value = document.get(name)
    if not isinstance(value, list):
        raise _not_a_plan(name)
    return value


def _not_a_plan(what: str) -> Refused:
    return Refused(f"The record's plan cannot be read back: {what[:200]}.", _HINT)
