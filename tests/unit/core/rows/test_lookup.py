"""Which rows collide with an image on a key, as a look-up."""

from __future__ import annotations

import pytest

from replfix.core.rows.lookup import Lookup, by_key
from replfix.core.rows.row_values import NOT_LOGGED, Value
from replfix.core.schema.table import KeyPart
from tests.unit.making import column, key, table

FUNCTIONAL = key("f", KeyPart(None, expression="concat(`A`,`id`)", reads=("A", "id")), "b")
T = table(
    "d.t",
    [column("id"), column("A", nullable=True), column("b", nullable=True)],
    [key("PRIMARY", "id"), key("ba", "b", "a"), FUNCTIONAL],
)


def test_values_in_the_keys_order_names_without_case() -> None:
    ba = T.unique_keys[1]
    assert by_key(T, ba, (1, 2, 3)) == Lookup(T.name, "ba", ba.parts, ((3,), (2,)))


@pytest.mark.parametrize("value", [None, NOT_LOGGED])
def test_a_value_that_cannot_collide_or_is_not_known(value: Value) -> None:
    assert by_key(T, T.unique_keys[1], (1, value, 3)) is None


def test_an_expression_is_asked_with_what_it_reads_and_may_be_null() -> None:
    lookup = by_key(T, FUNCTIONAL, (1, None, 3))
    assert lookup is not None
    assert lookup.values == ((None, 1), (3,))
    assert by_key(T, FUNCTIONAL, (NOT_LOGGED, 2, 3)) is None
    assert FUNCTIONAL.columns == ("A", "id", "b")
