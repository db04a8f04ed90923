"""Generated columns that events do not hold, or not as they are, worked out by the server from what they hold.

MariaDB 11.8.9 logs them for an INSERT only: they are in no image of an UPDATE or DELETE, whatever binlog_row_image says
(11.8.6 and 10.11.19 log them). And it logs a virtual column over the AUTO_INCREMENT column as it was before the row got its
number (10.11.19, 11.8.9). MySQL logs them, and lets no such column be made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from replfix.core import sql
from replfix.core.table import Column, TableName
from replfix.core.values import NOT_LOGGED, RowImage
from replfix.errors import Refused, ServerError
from replfix.mysql.columns import from_server
from replfix.mysql.connection import Session
from replfix.mysql.definitions import names_in
from replfix.mysql.rows import batches

_ROWS = 200  # in one statement


def filled_in(
    session: Session, table: TableName, columns: Sequence[Column], images: Sequence[RowImage]
) -> Sequence[RowImage]:
    """The images with the generated columns that they lack or have as they were without a number, as far as what these read is
    known. ``columns``: as the server defines them now."""
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
    """Those that can be worked out, each behind those that it reads."""
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
    names = {name.lower() for column in wanted for name in names_in(column.expression)}
    reads = [c for c in columns if c.name.lower() in names and c not in wanted]
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
