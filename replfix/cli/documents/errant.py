"""The errant transactions of a replica: ``replfix.errant/1``, and a part of ``replfix.diagnosis/1``."""

from __future__ import annotations

from typing import Literal

from replfix.cli.documents.base import Document, Part
from replfix.cli.documents.remedy import AdvicePart, LeadsToPart, advice_part, leads_to_part
from replfix.cli.documents.values import NotReadPart, RowDocument
from replfix.core.binlog.row_event import RowChange
from replfix.core.remedies.errant_examination import Examination
from replfix.core.remedies.errant_rows import ErrantRow, Verdict
from replfix.core.remedies.errant_transactions import Errant, ErrantTransaction, WayOut
from replfix.core.remedies.remedy import REPLICA
from replfix.core.rows.json_values import row_to_json, to_json
from replfix.core.rows.row_values import NotRead

CHANGES = 100


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
        ways=[_way(way) for way in errant.ways],
        notes=list(errant.notes),
    )


def _way(way: WayOut) -> WayOutPart:
    remedy = way.first
    assert remedy.leads_to is not None
    return WayOutPart(
        name=way.name,
        means=remedy.text,
        where="this replica" if remedy.where == REPLICA else remedy.where,
        sql=list(remedy.sql),
        leads_to=leads_to_part(remedy.leads_to),
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
        changes=[_row(change, one.columns_of(change.table)) for change in one.changes[:CHANGES]],
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


class ErrantVerdictPart(Part):
    gtid: str
    verdict: Verdict  # of its rows: equal on both servers, different, undetermined


class ComparedRowPart(Part):
    schema_: str
    table: str
    key: dict[str, str]  # the columns that name it, with their values as text
    gtids: list[str]  # transactions that changed it, the oldest first
    verdict: Verdict
    replica_row: RowDocument | None
    source_row: RowDocument | NotReadPart | None
    differences: list[str]
    reason: str | None  # why it is undetermined


class NotComparedPart(Part):
    schema_: str
    table: str
    reason: str


class LimitsPart(Part):
    transactions: int  # of each origin
    rows: int  # compared
    statements: int  # rows or transactions for which statements are printed


class LookedAtPart(Part):
    """``transactions`` null: MariaDB's sets do not show how many there are."""

    transactions: int | None
    transactions_read: int
    rows_compared: int
    complete: bool  # every transaction read, every row compared, and of each it is known whether it is errant
    limits: LimitsPart


class OptionPart(Part):
    """Which of ``advice[]`` belong together: ``first`` and the ones after it, ``steps`` of them."""

    name: str  # revert, keep, empty-transactions, rebuild, leave
    first: int  # its place in advice[], from 0
    steps: int


class ErrantDocument(Document):
    """``errant`` null: without GTIDs nobody knows. Its ``ways`` are empty: ``advice[]`` has the options."""

    schema_name: Literal["replfix.errant/1"] = "replfix.errant/1"
    replica: str
    channel: str
    source: str
    errant: ErrantPart | None
    purged_gtid_set: str  # errant, and gone from the replica's binlog
    verdicts: list[ErrantVerdictPart]  # of errant.transactions, in their order
    rows: list[ComparedRowPart]  # those that differ or are undetermined
    rows_equal: int
    not_compared: list[NotComparedPart]
    below: list[str]  # servers that replicate from the replica, and get them
    beside: list[str]  # other replicas of the source, which do not
    consequences: list[str]  # of leaving them
    options: list[OptionPart]
    advice: list[AdvicePart]
    looked_at: LookedAtPart


def errant_document(name: str, found: Examination, limits: LimitsPart) -> ErrantDocument:
    """Return everything that was found about the replica's errant transactions."""
    errant, compared = found.errant, found.compared
    transactions = errant.transactions if errant is not None else ()
    read = [one for one in transactions if one.written is not None]
    differing = [row for row in compared.rows if row.verdict is not Verdict.EQUAL]
    places = [sum(len(option.steps) for option in found.options[:at]) for at in range(len(found.options))]
    return ErrantDocument(
        replica=name,
        channel=found.channel,
        source=found.source,
        errant=None if errant is None else errant_part(errant),
        purged_gtid_set=str(found.purged),
        verdicts=[ErrantVerdictPart(gtid=one.gtid, verdict=compared.verdict_of(one)) for one in transactions],
        rows=[_compared(row) for row in differing],
        rows_equal=len(compared.rows) - len(differing),
        not_compared=[
            NotComparedPart(schema_=table.schema, table=table.name, reason=why)
            for table, why in compared.tables_left_out.items()
        ],
        below=list(found.below),
        beside=list(found.beside),
        consequences=list(found.consequences),
        options=[
            OptionPart(name=option.name, first=at, steps=len(option.steps))
            for at, option in zip(places, found.options, strict=True)
        ],
        advice=[advice_part(remedy) for remedy in found.advice],
        looked_at=LookedAtPart(
            transactions=len(errant.gtids) if errant is not None and errant.gtids.counts else None,
            transactions_read=len(read),
            rows_compared=len(compared.rows),
            complete=found.looked_at_everything,
            limits=limits,
        ),
    )


def _compared(row: ErrantRow) -> ComparedRowPart:
    theirs = row.source_row
    return ComparedRowPart(
        schema_=row.table.name.schema,
        table=row.table.name.name,
        key=row.key,
        gtids=list(row.gtids),
        verdict=row.verdict,
        replica_row=row_to_json(row.table, row.replica_row),
        source_row=NotReadPart(not_read=theirs.reason)
        if isinstance(theirs, NotRead)
        else row_to_json(row.table, theirs),
        differences=list(row.differences),
        reason=row.why or None,
    )
