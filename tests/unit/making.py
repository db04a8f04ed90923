"""Tables, changes and evidence in few words, for tests of the core."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from replfix.core.binlog.row_event import ChangeKind, RawEvents, RowChange, Transaction
from replfix.core.conflicts.reconcile import final_rows, not_as_final, questions, reconcile
from replfix.core.incident.evidence import Evidence
from replfix.core.replication import applier_error
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.on_its_way import OnlyHere
from replfix.core.replication.replica_status import ChannelStatus, ReceiverState, ReplicaStatus
from replfix.core.rows.lookup import Answers
from replfix.core.rows.row_values import RowImage, Value
from replfix.core.schema.auto_increment import AutoIncrement
from replfix.core.schema.table import Column, KeyPart, Table, TableName, UniqueKey
from tests.unit.fakes import Rows

SOURCE = "aaaaaaaa-0000-0000-0000-000000000001"
REPLICA = "bbbbbbbb-0000-0000-0000-000000000002"
GTID = f"{SOURCE}:6"
WHEN = datetime(2026, 3, 1, 12, 30, 45, tzinfo=UTC)


def column(name: str, data_type: str = "int", *, nullable: bool = False, **more: Any) -> Column:
    return Column(name, 0, data_type, more.pop("column_type", data_type), nullable, **more)


def key(name: str, *parts: str | KeyPart) -> UniqueKey:
    return UniqueKey(name, tuple(KeyPart(p) if isinstance(p, str) else p for p in parts))


def table(name: str, columns: Sequence[Column], keys: Sequence[UniqueKey], **more: Any) -> Table:
    """``schema.name`` is cut at the first dot; columns get their ordinals here."""
    schema, _, short = name.partition(".")
    numbered = tuple(replace(c, ordinal=n) for n, c in enumerate(columns))
    return Table(
        TableName(schema, short),
        numbered,
        tuple(keys),
        more.pop("engine", "InnoDB"),
        more.pop("transactional", True),
        **more,
    )


ORDERS = table(
    "shop.orders",
    [
        column("id", auto_increment=True),
        column("number", "varchar", nullable=True, charset="utf8mb4", collation="utf8mb4_0900_ai_ci"),
        column("total", "decimal", column_type="decimal(8,2)", nullable=True),
    ],
    [key("PRIMARY", "id"), key("number", "number")],
)


def inserted(of: Table, *after: Value) -> RowChange:
    return RowChange(of.name, ChangeKind.INSERT, None, after, 0)


def updated(of: Table, before: RowImage, after: RowImage) -> RowChange:
    return RowChange(of.name, ChangeKind.UPDATE, before, after, 0)


def deleted(of: Table, *before: Value) -> RowChange:
    return RowChange(of.name, ChangeKind.DELETE, before, None, 0)


def transaction(
    changes: Sequence[RowChange],
    tables: Sequence[Table] = (ORDERS,),
    gtid: str = GTID,
    *,
    thread_id: int | None = 17,
    queries: tuple[str, ...] = (),
) -> Transaction:
    numbered = tuple(replace(c, event_end_pos=500 + n) for n, c in enumerate(changes))
    names = {t.name: tuple(c.name for c in t.columns) for t in tables}
    raw = RawEvents(b"FDE", ((b"table map", b"rows"),))
    return Transaction(gtid, "binlog.000001", 400, 1792, WHEN, 1, thread_id, numbered, names, raw, queries=queries)


def placed(of: Transaction, number: int) -> Transaction:
    """The same as the transaction of that number, from 1 on, in a log in which each follows the one before."""
    behind = (number - 1) * (of.end_pos - of.start_pos)
    changes = tuple(replace(change, event_end_pos=change.event_end_pos + behind) for change in of.changes)
    return replace(of, start_pos=of.start_pos + behind, end_pos=of.end_pos + behind, changes=changes)


def channel(**over: Any) -> ChannelStatus:
    values: dict[str, Any] = {
        "name": "",
        "source_host": "source",
        "source_port": 3306,
        "source_uuid": SOURCE,
        "receiver": ReceiverState.RUNNING,
        "applier_running": False,
        "lag_seconds": None,
        "receiver_errno": 0,
        "receiver_message": "",
        "applier_errno": 0,
        "applier_message": "",
        "worker_errors": (),
        "retrieved": GtidSet.parse(f"{SOURCE}:1-6"),
        "auto_position": True,
    }
    return ChannelStatus(**(values | over))


def status(*channels: ChannelStatus, executed: str = f"{SOURCE}:1-5", **over: Any) -> ReplicaStatus:
    values: dict[str, Any] = {
        "server_uuid": REPLICA,
        "server_id": 2,
        "version": "9.7.4",
        "gtid_mode": "ON",
        "read_only": True,
        "super_read_only": True,
        "executed": GtidSet.parse(executed),
        "channels": channels,
    }
    return ReplicaStatus(**(values | over))


def row_message(errno: int, event: str, of: str, what: str, gtid: str = GTID) -> str:
    """As performance_schema has it on MySQL 8.4 and later."""
    return (
        f"Worker 1 failed executing transaction '{gtid}' at source log binlog.000001, end_log_pos 1792; Could not execute "
        f"{event} event on table {of}; {what}, Error_code: {errno}; handler error HA_ERR_FOUND_DUPP_KEY; the event's source "
        "log binlog.000001, end_log_pos 1792"
    )


def answered(changes: Sequence[RowChange], tables: Mapping[TableName, Table], held: Rows) -> Answers:
    """What a replica that holds those rows answers to everything that is asked about the changes."""
    asked = (*questions(tuple(changes), tables), *(r.lookup for r in final_rows(tuple(changes), tables)))
    return {lookup: held.find(lookup) for lookup in asked}


def evidence(
    changes: Sequence[RowChange],
    held: Rows,
    *,
    errno: int = 1062,
    local_writes: Sequence[Transaction] = (),
    errant: str | None = None,
    **over: Any,
) -> Evidence:
    """All that is gathered when a replica that holds those rows is stopped by those changes.

    ``errant`` defaults to the GTIDs of ``local_writes``.
    """
    of = transaction(changes, tuple(held.tables.values()))
    tables = {n: t for n, t in held.tables.items() if any(c.table == n for c in changes)}
    answers = answered(changes, tables, held)
    found = reconcile(of.changes, tables, answers)
    message = row_message(errno, "Write_rows", str(changes[0].table), "Duplicate entry '3' for key 'orders.PRIMARY'")
    on = channel(applier_errno=errno, applier_message=message)
    values: dict[str, Any] = {
        "status": status(on),
        "channel": on,
        "error": applier_error.parse(errno, message),
        "source_uuid": SOURCE,
        "transaction": of,
        "tables": tables,
        "reconciliation": found,
        "applied": tuple(not not_as_final((r,), tables, answers, {}) for r in final_rows(of.changes, tables)),
        "source_rows": (None,) * len(found.conflicts),
        "only_here": OnlyHere(GtidSet.parse(",".join(str(t.gtid) for t in local_writes) if errant is None else errant)),
        "local_writes": tuple(local_writes),
        "replica_auto_increment": AutoIncrement(1, 1),
        "source_auto_increment": AutoIncrement(1, 1),
        "blind_spots": (),
        "unknowns": (),
    }
    return Evidence(**(values | over))
