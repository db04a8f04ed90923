"""Rows that a plan takes out although the source has them, and what the events tell of how they stood."""

from __future__ import annotations

import pytest

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.foreign_keys.counterparts import Counterpart, Named, ahead, first_touches, restored
from replfix.core.conflicts.reconcile import RowRepair
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import TableName
from tests.unit.making import column, deleted, inserted, key, table, updated

PAIR = table("d.t", [column("a"), column("b"), column("c")], [key("PRIMARY", "a", "b")])
UNIQUE = table("d.u", [column("a"), column("b"), column("c")], [key("PRIMARY", "a", "b"), key("c", "c")])
IN_THE_WAY = RowRepair(PAIR.name, (1, 2, 3), None)


@pytest.mark.parametrize(
    ("changes", "source", "target"),
    [
        ((inserted(PAIR, 1, 2, 9),), (1, 2, 9), None),
        ((updated(PAIR, (7, 2, NOT_LOGGED), (1, NOT_LOGGED, NOT_LOGGED)),), (1, 2, 9), None),  # it comes by it
        ((updated(PAIR, (1, 2, 8), (1, 2, 9)),), (1, 2, 9), (1, 2, 8)),
        ((deleted(PAIR, 1, 2, 8),), None, (1, 2, 8)),
        ((deleted(PAIR, 1, 2, NOT_LOGGED),), None, (1, 2, NOT_LOGGED)),  # there was one: how it stood, nothing says
        ((), (1, 2, 9), (1, 2, 9)),
        ((), None, None),
    ],
)  # fmt: skip
def test_how_the_source_had_the_row(
    changes: tuple[RowChange, ...], source: RowImage | None, target: RowImage | None
) -> None:
    counterparts = [Counterpart(IN_THE_WAY, source)]
    touched = first_touches(changes, counterparts, {PAIR.name: PAIR})
    changed = restored(counterparts, touched, {PAIR.name: PAIR})
    assert changed.get(IN_THE_WAY, IN_THE_WAY).target == target


@pytest.mark.parametrize(
    ("source", "touched", "expected"),
    [
        ((1, 2, 9), {}, (UNIQUE.name,)),
        ((1, 2, 8), {}, ()),
        ((1, 2, None), {}, ()),
        (None, {}, ()),
        ((1, 2, 9), {(UNIQUE.name, (1, 2)): None}, ()),  # how it was then is known
    ],
)
def test_a_row_that_the_source_cannot_have_had_like_that(
    source: RowImage | None, touched: dict[Named, RowImage | None], expected: tuple[TableName, ...]
) -> None:
    repair = RowRepair(UNIQUE.name, (1, 2, 9), None)
    left = (inserted(UNIQUE, 5, 5, 9),)
    assert ahead([Counterpart(repair, source)], touched, left, {UNIQUE.name: UNIQUE}) == expected
