"""Forecasts in few words: conflicts come from the real comparison of transactions with a replica's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.ahead.forecast import Ahead, Author, Effect, Forecast, Group, Scanned, Unscanned
from replfix.core.conflicts.reconcile import Conflict, ConflictKind, reconcile
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table
from tests.unit.fakes import Rows
from tests.unit.making import ORDERS, REPLICA, SOURCE, WHEN, answered

DAY = timedelta(days=1)
LOCAL = Author(f"{REPLICA}:42", WHEN - DAY, 29, "DELETE FROM shop.orders WHERE total < 5")


def forecast(
    *transactions: Sequence[RowChange],
    held: Sequence[RowImage] = (),
    of: Table = ORDERS,
    authors: Sequence[Author | None] = (),
    proven: bool | None = None,
    unscanned: tuple[Unscanned, ...] = (),
    count: int | None = None,
) -> Forecast:
    """What waits for a replica that holds those rows: the transactions, numbered from 6 on, each met by the rows as they are.

    ``authors``: of each conflict; ``count``: of the transactions in the backlog, where there are more.
    """
    found = tuple(_ahead(transactions, Rows.of(of).holding(of, *held), proven))
    places: dict[Author | None, list[int]] = {}
    for place, author in enumerate(authors):
        places.setdefault(author, []).append(place)
    return Forecast(
        "",
        Scanned(
            len(transactions) if count is None else count,
            4 * len(transactions),
            sum(map(len, transactions)),
            1.25,
            unscanned,
        ),
        {of.name: of},
        found,
        tuple(Group(author, tuple(at)) for author, at in places.items()),
    )


def _ahead(transactions: Sequence[Sequence[RowChange]], held: Rows, proven: bool | None) -> Iterator[Ahead]:
    for number, changes in enumerate(transactions, 1):
        gtid = TransactionId(f"{SOURCE}:{5 + number}", "binlog.000001", 400 * number, 400 * number + 392)
        for conflict in reconcile(tuple(changes), held.tables, answered(changes, held.tables, held)).conflicts:
            effect = effect_of(conflict)
            errno = {ConflictKind.MISSING: 1032}.get(conflict.kind, 1062) if effect is Effect.STOPS else None
            yield Ahead(gtid, WHEN + timedelta(seconds=number), effect, errno, conflict, proven, number)


def effect_of(conflict: Conflict) -> Effect:
    """As an applier that finds rows by their key: other values do not stop it."""
    if conflict.kind is not ConflictKind.DIFFERENT:
        return Effect.STOPS
    return Effect.OVERWRITES if conflict.incoming is not None else Effect.DELETES_SILENTLY
