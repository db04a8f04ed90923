"""The errant transactions of a replica, as a part of ``replfix.diagnosis/1``."""

from __future__ import annotations

from replfix.cli.documents.base import Part
from replfix.cli.documents.remedy import LeadsToPart, leads_to_part
from replfix.cli.documents.values import RowDocument
from replfix.core.binlog.row_event import RowChange
from replfix.core.remedies.errant_transactions import Errant, ErrantTransaction
from replfix.core.rows.json_values import to_json


class ErrantRowPart(Part):
    schema_: str
    table: str
    change: str  # insert, update, delete
    before: RowDocument | None
    after: RowDocument | None


class ErrantTransactionPart(Part):
    gtid: str
    origin: str  # where it was written, in words
    committed_at: str | None  # UTC, ISO 8601; this and the next four are null where the binlog does not have it
    log_file: str | None
    start_pos: int | None
    server_id: int | None
    thread_id: int | None
    rows: int  # how many it changes
    changes: list[ErrantRowPart]  # the first 100 of them
    statement: str | None  # what was logged in place of rows, such as DDL
    unknown: str | None  # why its content is not known


class WayOutPart(Part):
    name: str  # empty-transactions, leave
    means: str
    where: str
    sql: list[str]  # for a human: replfix runs none of them
    leads_to: LeadsToPart


class InTransitPart(Part):
    gtid_set: str
    how: str  # by which channels they come to the source, and how far they have come


class ErrantPart(Part):
    gtid_set: str  # errant ones alone
    in_transit: list[InTransitPart]  # what the source has not executed yet, and gets
    undecided_gtid_set: str  # errant or on their way; ``notes`` gives the reason why that is unknown
    transactions: list[ErrantTransactionPart]  # of all three, the newest 20, newest first
    ways: list[WayOutPart]
    notes: list[str]


def errant_part(errant: Errant) -> ErrantPart:
    """Return the errant transactions with what each changes, and the ways out."""
    return ErrantPart(
        gtid_set=str(errant.gtids),
        in_transit=[InTransitPart(gtid_set=str(one.gtids), how=one.how) for one in errant.only_here.in_transit],
        undecided_gtid_set=str(errant.only_here.undecided),
        transactions=[_transaction(one) for one in errant.transactions],
        ways=[
            WayOutPart(name=w.name, means=w.means, where=w.where, sql=list(w.sql), leads_to=leads_to_part(w.leads_to))
            for w in errant.ways
        ],
        notes=list(errant.notes),
    )


def _transaction(one: ErrantTransaction) -> ErrantTransactionPart:
    written = one.written
    return ErrantTransactionPart(
        gtid=one.gtid,
        origin=one.origin,
        committed_at=written.committed_at.isoformat() if written else None,
        log_file=written.log_file if written else None,
        start_pos=written.start_pos if written else None,
        server_id=written.server_id if written else None,
        thread_id=written.thread_id if written else None,
        rows=one.rows,
        changes=[_row(change, one.columns_of(change.table)) for change in one.changes],
        statement=one.statement,
        unknown=one.unknown or None,
    )


def _row(change: RowChange, names: tuple[str, ...]) -> ErrantRowPart:
    before, after = (
        None if image is None else {name: to_json(value) for name, value in zip(names, image, strict=True)}
        for image in (change.before, change.after)
    )
    return ErrantRowPart(
        schema_=change.table.schema, table=change.table.name, change=change.kind.value, before=before, after=after
    )
