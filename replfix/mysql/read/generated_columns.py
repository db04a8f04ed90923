"""Generated columns that are not in events, or not as they are: the server computes them from those that are.

MariaDB 11.8.9 logs them for an INSERT only: they are in no image of an UPDATE or DELETE, whatever binlog_row_image says
(11.8.6 and 10.11.19 log them). And it logs a virtual column over the AUTO_INCREMENT column as it was before the row got
its number (10.11.19, 11.8.9). MySQL logs them, and rejects such a column.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from replfix.core import sql
from replfix.core.rows.row_values import NOT_LOGGED, RowImage, Value
from replfix.core.schema.table import Column, Table, TableName
from replfix.errors import Refused, ServerError, Unreadable
from replfix.mysql.connection.session import Session
from replfix.mysql.read.column_values import from_server
from replfix.mysql.read.find_rows import batches
from replfix.mysql.read.table_definitions import names_in, unescaped

_ROWS = 200  # in one statement

_PLAIN = re.compile(r"(?:tiny|small|medium|big)?int|decimal|date|datetime|(?:var)?char|(?:tiny|medium|long)?text")
"""Types whose values come through a JSON document as they are. Bytes do not, and a document in one is not spelt as it was (MySQL 9.7.4)."""

HELD_AGAINST = 100
"""For how many rows it is computed whether they are as in the event."""


def filled_in(
    session: Session, table: TableName, columns: Sequence[Column], images: Sequence[RowImage]
) -> Sequence[RowImage]:
    """Return the images with the generated columns that they lack, or that MariaDB logs as they were before the number.

    As far as the columns that they read are known. ``columns``: as the server defines them now.
    """
    if not session.is_mariadb:
        return images
    filled = list(images)
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, image in enumerate(images):
        if unknown := tuple(o for o, value in enumerate(image) if value is NOT_LOGGED or columns[o].counted):
            alike[unknown].append(number)
    for unknown, numbers in alike.items():
        if wanted := list(_possible(columns, unknown)):
            whole = _worked_out(session, table, columns, wanted, [images[n] for n in numbers])
            for number, image in zip(numbers, whole, strict=True):
                filled[number] = image
    return filled


def _possible(columns: Sequence[Column], unknown: Iterable[int]) -> Iterator[Column]:
    """Yield those that can be computed, each after those that it reads."""
    left = [columns[ordinal] for ordinal in unknown]
    missing = {column.name.lower() for column in left}
    left = [c for c in left if c.generated and c.expression and not c.changing]
    while ready := next((c for c in left if not missing & {n.lower() for n in names_in(c.expression)}), None):
        yield ready
        left.remove(ready)
        missing.remove(ready.name.lower())


def _worked_out(
    session: Session, table: TableName, columns: Sequence[Column], wanted: Sequence[Column], images: Sequence[RowImage]
) -> Iterator[RowImage]:
    reads = _reads(columns, wanted)
    for batch in batches(images, _ROWS, lambda image: (image[c.ordinal] for c in reads)):
        try:
            answers = session.results(sql.work_out(table, reads, wanted, batch))
        except (ServerError, Refused):  # an expression that does not take such a value any more: it stays unknown
            yield from batch
            continue
        for image, (answer,) in zip(batch, answers, strict=True):
            whole = list(image)
            for column, value in zip(wanted, answer, strict=True):
                whole[column.ordinal] = from_server(column, value)
            yield tuple(whole)


def _reads(columns: Sequence[Column], wanted: Sequence[Column]) -> list[Column]:
    names = {name.lower() for column in wanted for name in names_in(column.expression)}
    return [c for c in columns if c.name.lower() in names and c not in wanted]


def worked_out_otherwise(session: Session, table: Table, images: Sequence[RowImage]) -> Column | None:
    """Return a generated column whose expression here gives another value than those rows have, one in a unique key first.

    :class:`Unreadable` where there is none among those that could be computed, and some could not.
    """
    keys = {part.column.lower() for key in table.unique_keys for part in key.parts if part.column is not None}
    blockers = len(images) > HELD_AGAINST
    for column in sorted((c for c in table.columns if c.generated), key=lambda c: c.name.lower() not in keys):
        reads = _reads(table.columns, [column])
        askable = _askable(session, column, reads)
        for row in images[:HELD_AGAINST]:
            if not askable or any(row[c.ordinal] is NOT_LOGGED for c in (column, *reads)):
                blockers = True
                continue
            try:
                value = _of(session, table, reads, column, row)
            except (ServerError, Refused):  # an expression that does not take such a value any more
                blockers = True
                continue
            if value != row[column.ordinal]:
                return column
    if blockers:
        raise Unreadable(f"Not every generated value of {table.name} could be computed on {session.endpoint}.")
    return None


def _askable(session: Session, column: Column, reads: Sequence[Column]) -> bool:
    if column.changing or column.counted:
        return False
    # MySQL 9.7.4 shows characters of an expression that are not ASCII as others.
    return session.is_mariadb or (
        column.expression.isascii() and all(_PLAIN.fullmatch(c.data_type) for c in (column, *reads))
    )


def _of(session: Session, table: Table, reads: Sequence[Column], column: Column, row: RowImage) -> Value:
    if session.is_mariadb:
        (((answer,),),) = session.results(sql.work_out(table.name, reads, [column], [row]))
    else:
        as_written = replace(column, expression=unescaped(column.expression))
        ((answer,),) = session.rows(sql.worked_out(reads, as_written, row))
    return from_server(column, answer)
