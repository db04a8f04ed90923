"""What a transaction makes of its rows: the same rows as its changes one after the other, with no key twice on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replfix.core.binlog.row_event import RowChange
from replfix.core.conflicts.net_rows import net_rows
from replfix.core.plan.plan_steps import steps_of
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table
from tests.unit.making import column, deleted, inserted, key, table, updated

NAMED = table("d.t", [column("id"), column("a", nullable=True)], [key("PRIMARY", "id"), key("a", "a")])
BAG = table("d.t", [column("id"), column("a", nullable=True)], [key("a", "a")])

small = st.integers(0, 3)
values = st.one_of(st.none(), small)
work = st.lists(st.tuples(st.sampled_from("IUD"), small, values, small), max_size=12)


def taken(of: Table, rows: Sequence[RowImage], row: RowImage) -> bool:
    return any(
        any(r[o] is not None and r[o] == row[o] for o in of.ordinals(unique)) for r in rows for unique in of.unique_keys
    )


@pytest.mark.parametrize("of", [NAMED, BAG], ids=["named", "unnamed"])
@given(st.lists(st.tuples(small, values), max_size=4), work)
def test_the_same_rows_in_the_end(
    of: Table, held: list[tuple[int, int | None]], todo: list[tuple[str, int, int | None, int]]
) -> None:
    before: list[RowImage] = []
    for row in held:
        if not taken(of, before, row):
            before.append(row)
    rows, changes = list(before), list[RowChange]()
    for what, number, value, other in todo:
        new: RowImage = (number, value)
        if what == "I" and not taken(of, rows, new):
            changes.append(inserted(of, *new))
            rows.append(new)
        elif what != "I" and rows:
            old = rows.pop(other % len(rows))
            if what == "D":
                changes.append(deleted(of, *old))
            elif taken(of, rows, new):
                rows.append(old)
            else:
                changes.append(updated(of, old, new))
                rows.append(new)
    tables = {of.name: of}
    now = list(before)
    for step in steps_of(net_rows(tuple(changes), tables, {}), tables):
        assert step.current != step.target
        if step.current is not None:
            now.remove(step.current)
        if step.target is not None:
            assert not taken(of, now, step.target)
            now.append(step.target)
    assert Counter(now) == Counter(rows)
