"""Many values of one column as one condition."""

from __future__ import annotations

import pytest

from replfix.core.rows.lookup import Lookup, by_key
from replfix.core.rows.row_values import Value
from replfix.core.sql import select_any
from tests.unit.making import column, key, table

T = table(
    "d.t",
    [column("id"), column("name", "varchar"), column("rate", "float")],
    [key("PRIMARY", "id"), key("name", "name"), key("two", "id", "name"), key("rate", "rate")],
)


@pytest.mark.parametrize(
    ("values", "condition"),
    [
        ([5], "`id` IN (5)"),
        ([5, 9, 5, -1], "`id` IN (-1, 5, 9)"),
        ([3, 1, 2], "`id` IN (1, 2, 3)"),
        ([4, 2, 3, 1, 9], "`id` BETWEEN 1 AND 4 OR `id` IN (9)"),
        ([*range(-3, 3), *range(10, 20), 7, 8], "`id` BETWEEN -3 AND 2 OR `id` BETWEEN 10 AND 19 OR `id` IN (7, 8)"),
    ],
)
def test_whole_numbers(values: list[int], condition: str) -> None:
    assert where(0, *values) == condition


def test_other_values_and_keys() -> None:
    assert where(1, "a", "b'") == "`name` IN ('a', 'b''')"
    assert where(2, 1) == "(`id` = 1 AND `name` = 'x')"
    assert "IN" not in where(3, 1.5, 2.5)


def where(number: int, *values: Value) -> str:
    name = T.unique_keys[number]
    lookups: list[Lookup] = []
    for value in values:
        image = tuple(value if c.name == name.columns[0] else "x" for c in T.columns)
        lookup = by_key(T, name, image)
        assert lookup is not None
        lookups.append(lookup)
    return select_any(T, lookups).partition(" WHERE ")[2]
