"""A forecast: its conflicts by PostgreSQL's names, and who wrote the rows, out of the replica's binlog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from replfix.core.binlog.row_event import PassedOver, RowChange
from replfix.core.conflicts.ahead.forecast import Author, Forecast
from replfix.core.conflicts.ahead.postgresql_names import postgresql_names
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.row_values import RowImage
from replfix.core.words import Advance
from replfix.errors import ReplicationError
from replfix.workflow.forecast.find_authors import with_authors
from tests.unit.fakes import FakeClock, FakeReplica, FakeServer, Rows, World
from tests.unit.making import ORDERS, REPLICA, SOURCE, deleted, inserted, transaction, updated
from tests.unit.making_forecasts import LOCAL, forecast

A, B, C = (1, "A-1", Decimal("9.50")), (2, "A-2", Decimal("1.00")), (3, "A-3", Decimal("2.00"))
OTHER_A, NEW_A = (1, "R-1", Decimal("5.00")), (1, "A-9", Decimal("9.50"))


@pytest.mark.parametrize(
    ("change", "held", "author", "names"),
    [
        (inserted(ORDERS, *A), [OTHER_A], None, ["insert_exists"]),
        (inserted(ORDERS, *A), [A], None, ["multiple_unique_conflicts"]),  # the id and the number, of one row
        (inserted(ORDERS, *A), [OTHER_A, (7, "A-1", None)], None, ["multiple_unique_conflicts"] * 2),  # of two
        (updated(ORDERS, A, NEW_A), [A, (7, "A-9", None)], None, ["update_exists"]),
        (updated(ORDERS, A, NEW_A), [], None, ["update_missing"]),
        (deleted(ORDERS, *A), [], LOCAL, ["delete_missing"]),
        # who wrote a row with other values last, has to be known
        (updated(ORDERS, A, NEW_A), [OTHER_A], LOCAL, ["update_origin_differs"]),
        (updated(ORDERS, A, NEW_A), [OTHER_A], None, [None]),
        (deleted(ORDERS, *A), [OTHER_A], LOCAL, ["delete_origin_differs"]),
        (deleted(ORDERS, *A), [OTHER_A], None, [None]),
    ],
)
def test_the_name_that_postgresql_has_for_it(
    change: RowChange, held: list[RowImage], author: Author | None, names: list[str | None]
) -> None:
    found = forecast([change], held=held)
    found = forecast([change], held=held, authors=[author] * len(found.conflicts))
    assert list(postgresql_names(found)) == names


def test_a_parent_that_is_missing_has_no_name_there() -> None:
    found = forecast([deleted(ORDERS, *A)])
    (ahead,) = found.conflicts
    of_parent = replace(ahead, conflict=replace(ahead.conflict, foreign_key="to_customers"))
    assert postgresql_names(replace(found, conflicts=(of_parent,))) == (None,)


# --- who wrote the rows ---


def searched(
    found: Forecast,
    held: Sequence[RowImage],
    own: Sequence[Sequence[RowChange]] = (),
    theirs: Sequence[Sequence[RowChange]] = (),
    *,
    unread: str = "",
    queries: tuple[str, ...] = (),
) -> list[tuple[str | None, tuple[int, ...]]]:
    """The GTID of each author, without its server, with the places of its conflicts.

    ``own`` is in the replica's log as it wrote it itself, ``theirs`` before it as it applied it; ``unread``: a statement that
    came last.
    """
    world = World()
    source = FakeServer(world, "source", SOURCE, Rows.of(ORDERS))
    replica = FakeReplica(world, "replica", REPLICA, Rows.of(ORDERS).holding(ORDERS, *held), source)
    logged = [(SOURCE, changes) for changes in theirs] + [(REPLICA, changes) for changes in own]
    for number, (server, changes) in enumerate(logged, 1):
        gtid = f"{server}:{number}"
        one = transaction(changes, gtid=gtid, thread_id=number, queries=queries)
        replica.log[gtid] = replace(one, start_pos=number * 100)
        replica.gtids = replica.gtids | GtidSet.parse(gtid)
    if unread:
        gtid, last = f"{REPLICA}:99", next(reversed(replica.log.values()))
        passed = PassedOver(gtid, last.log_file, 9_900, last.committed_at, 2, 7, unread, "a statement")
        replica.log[gtid] = passed  # type: ignore[assignment]
        replica.gtids = replica.gtids | GtidSet.parse(gtid)
    grouped = with_authors(found, replica, FakeClock(), lambda _: None)
    assert replace(grouped, groups=()) == found
    return [
        (group.author.gtid and group.author.gtid.rpartition(":")[2] if group.author else None, group.conflicts)
        for group in grouped.groups
    ]


INSERTS = forecast([inserted(ORDERS, *A)], [inserted(ORDERS, 2, "B", None)], held=[OTHER_A, B])
DELETES = forecast([deleted(ORDERS, *A)], [updated(ORDERS, B, (2, "x", None))], [inserted(ORDERS, *C)], held=[C])


@pytest.mark.parametrize(
    ("found", "held", "own", "theirs", "unread", "groups"),
    [
        # one transaction wrote both
        (INSERTS, [OTHER_A, B], [[inserted(ORDERS, *OTHER_A), inserted(ORDERS, *B)]], [], "", [("1", (0, 1))]),
        # two did, and the one of more rows comes first; the last change of a row counts
        (
            INSERTS,
            [OTHER_A, B],
            [[inserted(ORDERS, *A), inserted(ORDERS, *B)], [updated(ORDERS, A, OTHER_A)]],
            [],
            "",
            [("2", (0,)), ("1", (1,))],
        ),
        # the row is not as that transaction left it: somebody changed it without logging
        (INSERTS, [OTHER_A, B], [[inserted(ORDERS, *A), inserted(ORDERS, *B)]], [], "", [("1", (1,)), (None, (0,))]),
        # rows that are gone, by who deleted them; C was written
        (
            DELETES,
            [C],
            [[inserted(ORDERS, *C)], [deleted(ORDERS, *A), deleted(ORDERS, *B)]],
            [],
            "",
            [("2", (0, 1)), ("1", (2,))],
        ),
        # gone, and the log has no delete of it
        (DELETES, [C], [[inserted(ORDERS, *A)]], [], "", [(None, (0, 1, 2))]),
        # what another server wrote counts where the log is read to its end
        (DELETES, [C], [], [[inserted(ORDERS, *C)]], "", [("1", (2,)), (None, (0, 1))]),
        # a statement came after it
        (DELETES, [C], [[inserted(ORDERS, *C)]], [], "UPDATE shop.orders SET total = 1", [(None, (0, 1, 2))]),
        (DELETES, [C], [[inserted(ORDERS, *C)]], [], "CREATE TABLE shop.x (i INT)", [("1", (2,)), (None, (0, 1))]),
    ],
)
def test_authors(
    found: Forecast,
    held: list[RowImage],
    own: list[list[RowChange]],
    theirs: list[list[RowChange]],
    unread: str,
    groups: list[tuple[str | None, tuple[int, ...]]],
) -> None:
    assert searched(found, held, own, theirs, unread=unread) == groups


def test_an_author_with_what_is_known_of_it_and_what_takes_too_long_or_cannot_be_read() -> None:
    world = World()
    source = FakeServer(world, "source", SOURCE, Rows.of(ORDERS))
    replica = FakeReplica(world, "replica", REPLICA, Rows.of(ORDERS).holding(ORDERS, OTHER_A, B), source)
    gtid = f"{REPLICA}:1"
    one = transaction([inserted(ORDERS, *OTHER_A), inserted(ORDERS, *B)], gtid=gtid, queries=("INSERT …", "INSERT B"))
    replica.log[gtid] = one
    replica.gtids = GtidSet.parse(gtid)
    said: list[str | Advance] = []
    (group,) = with_authors(INSERTS, replica, FakeClock(), said.append).groups
    assert group.author == Author(gtid, one.committed_at, 17, "INSERT …; INSERT B", own=True)
    assert [str(each) for each in said] == ["Looking for who wrote the rows: 0 of 1 transactions"]
    assert [g.author for g in with_authors(INSERTS, replica, FakeClock(), said.append, seconds=-1).groups] == [None]
    world.before["replica.readable"] = ReplicationError("It is purged.")
    assert [g.author for g in with_authors(INSERTS, replica, FakeClock(), said.append).groups] == [None]
    assert with_authors(forecast(), replica, FakeClock(), said.append).groups == ()
