"""Events that only fit row by row, in tables without a key that names their rows."""

from __future__ import annotations

import pytest

from replfix.core.binlog.row_event import RowChange
from replfix.core.incident.applied_together import changed_twice, taken_over
from replfix.core.rows.row_values import NOT_LOGGED
from tests.unit.making import column, deleted, inserted, key, table, updated

BAG = table("d.t", [column("a", nullable=True), column("b", nullable=True)], [key("a", "a")])
NAMED = table("d.t", [column("a"), column("b", nullable=True)], [key("PRIMARY", "a")])
UP = (updated(BAG, (3, 1), (4, 1)), updated(BAG, (2, 2), (3, 2)))


@pytest.mark.parametrize(
    ("changes", "twice", "over"),
    [
        (UP, False, True),
        (UP[::-1], False, False),  # no source can have done that
        ((UP[0], updated(BAG, (2, NOT_LOGGED), (3, NOT_LOGGED))), False, True),
        ((updated(BAG, (3, 1), (4, 1)), updated(BAG, (4, 1), (5, 1))), True, False),
        ((updated(BAG, (3, 1), (3, 2)), updated(BAG, (2, 2), (3, 2))), False, False),  # a stays with the first one
        ((updated(BAG, (None, 1), (4, 1)), updated(BAG, (2, 2), (None, 2))), False, False),
        ((deleted(BAG, 3, 1), inserted(BAG, 3, 2)), False, False),
    ],
)
def test_what_one_event_does(changes: tuple[RowChange, ...], twice: bool, over: bool) -> None:
    tables = {BAG.name: BAG}
    assert list(changed_twice(changes, tables)) == ([BAG] if twice else [])
    assert list(taken_over(changes, tables)) == ([(BAG, BAG.unique_keys[0])] if over else [])
    assert not list(taken_over(changes, {NAMED.name: NAMED}))
