"""Rows by key, in canonical values. The server compares: collations are its own business."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from replfix.core import sql
from replfix.core.lookup import Answers, Lookup, by_identity
from replfix.core.table import Table, TableName
from replfix.core.values import RowImage
from replfix.mysql.columns import from_server
from replfix.mysql.connection import Session

WHOLE_ROWS = 1000  # without a key, each statement reads the whole table
BATCH = 100  # look-ups in one statement; a UNION's optimisation time grows with its arms


def image(table: Table, answer: Sequence[Any]) -> RowImage:
    """One selected row as the canonical values of the table's columns."""
    return tuple(from_server(column, value) for column, value in zip(table.columns, answer, strict=True))


def find_now(session: Session, table: Table, lookup: Lookup, *, locking: bool = False) -> tuple[RowImage, ...]:
    """The rows of one look-up, in whatever transaction the session is in; ``locking`` with FOR UPDATE."""
    return tuple(image(table, answer) for answer in session.rows(sql.select_row(table, lookup, locking=locking)))


def find_all(session: Session, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
    """Every look-up's rows, in batches for each table; within the session's transaction."""
    answers: dict[Lookup, list[RowImage]] = {lookup: [] for lookup in lookups}
    by_table: dict[TableName, list[Lookup]] = {}
    for lookup in lookups:
        by_table.setdefault(lookup.table, []).append(lookup)
    for name, asked in by_table.items():
        table = tables[name]
        for batch in _batches([lookup for lookup in asked if not _whole(lookup)], BATCH):
            for number, *answer in session.rows(sql.select_rows(table, batch)):
                answers[batch[int(number)]].append(image(table, answer))
        for batch in _batches([lookup for lookup in asked if _whole(lookup)], WHOLE_ROWS):
            for whole in session.rows(sql.select_alike(table, batch)):
                row = image(table, whole)
                same = by_identity(table, row)
                if same in answers:
                    answers[same].append(row)
    return {lookup: tuple(rows) for lookup, rows in answers.items()}


def _whole(lookup: Lookup) -> bool:
    return lookup.key is None and lookup.least is None


def _batches(lookups: Sequence[Lookup], size: int) -> Iterator[Sequence[Lookup]]:
    return (lookups[start : start + size] for start in range(0, len(lookups), size))


def find_in_snapshot(session: Session, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
    """As ``find_all``, all of one consistent snapshot, which takes no lock."""
    session.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    try:
        return find_all(session, tables, lookups)
    finally:
        session.execute("ROLLBACK")
