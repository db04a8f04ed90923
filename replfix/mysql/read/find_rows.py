"""Rows by key, in canonical values. The server compares: collations are its own business."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from typing import Any, TypeVar

from replfix.core import sql
from replfix.core.columns import type_of
from replfix.core.rows.lookup import Answers, Lookup, by_identity, by_key
from replfix.core.rows.row_values import NOT_LOGGED, Json, RowImage, Value
from replfix.core.schema.table import Column, Table, TableName, UniqueKey
from replfix.errors import ReplfixError
from replfix.mysql.connection.session import Session
from replfix.mysql.read.column_values import from_server

ARMS = 100  # look-ups in one UNION, whose optimisation time grows with its arms
ANY = 1000  # key parts in one list of alternatives: 500,000 look-ups take 5 s so, and 20 s as UNIONs (MySQL 9.7.4)
LIST = 5000  # values of one column: 500 to 20,000 in a list take about the same time each
AT_ONCE = 20  # look-ups on one table that are asked in one statement, whatever keys they are by
WHOLE_ROWS = 1000  # without a key, each statement reads the whole table
STATEMENT_BYTES = 1 << 18  # of values in one statement: max_allowed_packet can be as low as 1 MiB on servers that work


T = TypeVar("T")


def image(table: Table, answer: Sequence[Any]) -> RowImage:
    """Return one selected row as the canonical values of the table's columns."""
    return tuple(
        NOT_LOGGED if column.changing else from_server(column, value)
        for column, value in zip(table.columns, answer, strict=True)
    )


def images(table: Table, answers: Iterable[Sequence[Any]]) -> Iterator[RowImage]:
    """Do as ``image`` for many rows: how each column is read is looked up once."""
    if any(column.changing or column.absent for column in table.columns):
        yield from (image(table, answer) for answer in answers)
        return
    reads = [type_of(column).read for column in table.columns]
    for answer in answers:
        try:
            yield tuple([None if value is None else read(value) for read, value in zip(reads, answer, strict=True)])
        except ValueError:
            yield image(table, answer)  # which says in which column


def find_now(session: Session, table: Table, lookup: Lookup, *, locking: bool = False) -> tuple[RowImage, ...]:
    """Return the rows of one look-up, in whatever transaction the session is in; ``locking`` with FOR UPDATE."""
    return tuple(images(table, session.rows(sql.select_row(table, lookup, locking=locking))))


def find_all(session: Session, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
    """Return every look-up's rows, in batches for each table; within the session's transaction."""
    answers: dict[Lookup, list[RowImage]] = defaultdict(list)  # most find nothing: no list for those
    by_table: dict[TableName, list[Lookup]] = {}
    for lookup in lookups:
        by_table.setdefault(lookup.table, []).append(lookup)
    for name, asked in by_table.items():
        table = tables[name]
        if _few(asked):
            _find_each(session, table, asked, answers)
            continue
        for key, alike in groupby(sorted(asked, key=_sort), key=_sort):
            of_key = list(alike)
            if key == _WHOLE_ROW:
                _find_whole(session, table, of_key, answers)
            elif key == _EACH:
                _find_each(session, table, of_key, answers)
            else:
                _find_any(session, table, of_key, answers)
    return {lookup: tuple(answers.get(lookup, ())) for lookup in lookups}


def _few(lookups: Sequence[Lookup]) -> bool:
    """Return whether they are asked in one statement, whatever keys they are by."""
    return len(lookups) <= AT_ONCE and all(_sort(each) != _WHOLE_ROW for each in lookups)


_Found = Mapping[Lookup, list[RowImage]]
_WHOLE_ROW, _EACH = "", "\0"  # no key has such a name


def _sort(lookup: Lookup) -> str:
    """Look-ups of one sort are asked together: of one key of columns, of whole rows, or one by one."""
    if lookup.key is None:
        return _WHOLE_ROW if lookup.least is None else _EACH
    return lookup.key if all(part.column is not None for part in lookup.parts) else _EACH


def _find_any(session: Session, table: Table, lookups: Sequence[Lookup], answers: _Found) -> None:
    """Many look-ups are asked as one question, and one by one only those of which the answer does not show the rows."""
    most = LIST if sql.in_one_list(table, lookups[0]) else max(ANY // len(lookups[0].parts), 1)
    for batch in batches(lookups, most, _values):
        left = _left_open(session, table, batch, answers)
        if len(left) < len(batch):  # most of them find nothing at all
            left = _left_open(session, table, left, answers)
        if left:
            _find_each(session, table, left, answers)


def _left_open(session: Session, table: Table, lookups: Sequence[Lookup], answers: _Found) -> Sequence[Lookup]:
    """Ask the look-ups as one question and sort the rows to those that found them; return those that are still open.

    Equal numbers, times and bytes are the same. Equal texts need not be: a look-up has found all of its rows only where it
    has found the very text in a unique key.
    """
    found = list(images(table, session.rows(sql.select_any(table, lookups)))) if lookups else []
    if not found:
        return ()
    key = UniqueKey(lookups[0].key or "", lookups[0].parts)
    of_texts = any(table.column(part.column or "").charset is not None for part in key.parts)
    if of_texts and key not in table.unique_keys:
        return lookups
    asked = set(lookups)
    sorted_out = [(lookup, row) for row in found if (lookup := by_key(table, key, row)) in asked and lookup is not None]
    if len(sorted_out) < len(found):
        return lookups
    for lookup, row in sorted_out:
        answers[lookup].append(row)
    return [lookup for lookup in lookups if lookup not in answers] if of_texts else ()


def _find_each(session: Session, table: Table, lookups: Sequence[Lookup], answers: _Found) -> None:
    for batch in batches(lookups, ARMS, _values):
        for number, *answer in session.rows(sql.select_rows(table, batch)):
            answers[batch[int(number)]].append(image(table, answer))


def _find_whole(session: Session, table: Table, lookups: Sequence[Lookup], answers: _Found) -> None:
    asked = set(lookups)
    for batch in batches(lookups, WHOLE_ROWS, _values):
        for row in images(table, session.rows(sql.select_alike(table, batch))):
            same = by_identity(table, row)
            if same in asked:
                answers[same].append(row)


def batches(items: Sequence[T], most: int, values_of: Callable[[T], Iterable[Value]]) -> Iterator[Sequence[T]]:
    """Yield as many look-ups as one statement takes, by the values that are written in it."""
    batch: list[T] = []
    size = 0
    for item in items:
        more = sum(_size(value) for value in values_of(item))
        if batch and (len(batch) == most or size + more > STATEMENT_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += more
    if batch:
        yield batch


def _values(lookup: Lookup) -> Iterator[Value]:
    return (value for of_part in lookup.values for value in of_part)


def _size(value: Value) -> int:
    """About how much of a statement it takes, as a literal with bounds around it."""
    if isinstance(value, str | bytes):
        return 4 * len(value) + 20
    return 4 * len(value.text) if isinstance(value, Json) else 30


def named(
    session: Session, table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]], columns: Sequence[Column]
) -> list[tuple[Value, ...]]:
    """See ``ports.rows``."""
    found: list[tuple[Value, ...]] = []
    for batch in batches(values, LIST, iter):
        rows = session.rows(sql.select_named(table, columns, key, batch))
        found += [tuple(map(from_server, columns, row)) for row in rows]
    return found


def count_named(session: Session, table: Table, key: UniqueKey, values: Sequence[tuple[Value, ...]]) -> int:
    """See ``ports.rows``."""
    statements = (sql.count_named(table, key, batch) for batch in batches(values, LIST, iter))
    return sum(int(session.scalar(statement)) for statement in statements)


def weights(session: Session, column: Column, values: Sequence[str]) -> list[bytes]:
    """See ``ports.rows``."""
    found: list[bytes] = []
    for batch in batches(values, ANY, lambda value: (value,)):
        found += [bytes(weight) for weight in session.rows(sql.weigh(column, batch))[0]]
    return found


def count_all(session: Session, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
    """Return how many rows each look-up finds."""
    counts: dict[Lookup, int] = {}
    for name in dict.fromkeys(lookup.table for lookup in lookups):
        for batch in batches([lookup for lookup in lookups if lookup.table == name], ARMS, _values):
            answers = session.rows(sql.count_rows(tables[name], batch))
            counts.update((batch[int(number)], int(count)) for number, count in answers)
    return counts


def find_uncommitted(session: Session, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
    """Do as ``find_all``, with rows of transactions that are only prepared."""
    session.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
    try:
        return find_all(session, tables, lookups)
    finally:
        _say(session, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def find_in_snapshot(session: Session, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
    """Do as ``find_all``, all from one consistent snapshot, which takes no lock.

    The session's isolation level has to be REPEATABLE READ: one statement is then a snapshot by itself.
    """
    if _few(lookups) and len({lookup.table for lookup in lookups}) == 1:
        return find_all(session, tables, lookups)
    session.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
    try:
        return find_all(session, tables, lookups)
    finally:
        _say(session, "ROLLBACK")


def _say(session: Session, statement: str) -> None:
    """Execute a statement at the end of something that may have failed: its own error must not replace the first."""
    with suppress(ReplfixError):
        session.execute(statement)
