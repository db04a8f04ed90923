"""Which columns of two row images differ."""

from __future__ import annotations

from decimal import Decimal

from replfix.core.rows.row_diff import differing, same
from replfix.core.rows.row_values import NOT_LOGGED, Json
from tests.unit.making import column, key, table

T = table("d.t", [column("id"), column("a"), column("b")], [key("PRIMARY", "id")])


def test_names_in_the_tables_order() -> None:
    assert differing(T, (1, 2, 3), (1, 9, 9)) == ("a", "b")
    assert same(T, (1, None, "x"), (1, None, "x"))


def test_null_is_not_the_empty_string_and_types_count() -> None:
    assert differing(T, (1, None, "1"), (1, "", 1)) == ("a", "b")
    assert differing(T, (1, 1.0, b"x"), (1, 1, "x")) == ("a", "b")
    assert differing(T, (1, Json("null"), None), (1, None, None)) == ("a",)
    assert same(T, (1, Decimal("1.50"), 0.0), (1, Decimal("1.5"), -0.0))


def test_what_was_not_logged_cannot_differ() -> None:
    assert same(T, (1, NOT_LOGGED, 3), (1, 2, NOT_LOGGED))
