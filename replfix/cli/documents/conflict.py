"""A conflict as JSON: in ``replfix.diagnosis/1`` and ``replfix.forecast/1``."""

from __future__ import annotations

from typing import Any, Literal

from replfix.cli.documents.base import Part
from replfix.cli.documents.values import NotReadPart, RowDocument
from replfix.core.conflicts.reconcile import Conflict
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.rows.json_values import row_to_json
from replfix.core.rows.row_values import NotRead, RowImage
from replfix.core.schema.table import Table


class ConflictPart(Part):
    kind: Literal["duplicate", "missing", "different", "extra"]
    schema_: str
    table: str
    key: str | None  # table.index, as the server names it; None in a table without a key that names its rows
    key_columns: list[str]
    other_keys: list[str]  # further unique keys on which the same two rows collide
    row: int  # which row of the transaction, from 1
    expected: RowDocument | None  # before image
    incoming: RowDocument | None  # after image
    replica_row: RowDocument | None
    source_row: RowDocument | NotReadPart | None  # null: it was looked for, and there is none
    differences: list[str]
    foreign_key: str | None  # missing: the row is a parent by it; extra: a child


class TransactionIdPart(Part):
    gtid: str | None  # null on servers without GTIDs
    log_file: str  # of the source
    start_pos: int
    end_pos: int


def conflict_fields(table: Table, conflict: Conflict, source_row: RowImage | NotRead | None) -> dict[str, Any]:
    """Return the fields of a ``ConflictPart``. ``table``: as the replica defines it."""
    return {
        "kind": conflict.kind.value,
        "schema_": table.name.schema,
        "table": table.name.name,
        "key": f"{table.name.name}.{conflict.keys[0]}" if conflict.keys else None,
        "key_columns": list(conflict.key_columns),
        "other_keys": [f"{table.name.name}.{key}" for key in conflict.keys[1:]],
        "row": conflict.change + 1,
        "expected": row_to_json(table, conflict.expected),
        "incoming": row_to_json(table, conflict.incoming),
        "replica_row": row_to_json(table, conflict.replica_row),
        "source_row": NotReadPart(not_read=source_row.reason)
        if isinstance(source_row, NotRead)
        else row_to_json(table, source_row),
        "differences": list(conflict.differences),
        "foreign_key": conflict.foreign_key or None,
    }


def transaction_id_fields(transaction: TransactionId) -> dict[str, Any]:
    """Return the fields of a ``TransactionIdPart``."""
    return {
        "gtid": transaction.gtid,
        "log_file": transaction.log_file,
        "start_pos": transaction.start_pos,
        "end_pos": transaction.end_pos,
    }
