"""Row values as JSON has them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from replfix.core.rows.json_values import row_to_json, to_json
from replfix.core.rows.row_values import NOT_LOGGED, Json, Value
from tests.unit.making import ORDERS


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (None, None),
        (2**64 - 1, 2**64 - 1),
        (0.1, 0.1),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.10"), "-0.10"),
        ("é\x00\u202e", "é\x00\u202e"),
        (b"\xff\x00", {"base64": "/wA="}),
        (b"", {"base64": ""}),
        (Json('{"a": 1.0}'), '{"a": 1.0}'),
        (NOT_LOGGED, {"not_logged": True}),
    ],
)
def test_forms(value: Value, form: object) -> None:
    assert to_json(value) == form
    assert json.loads(json.dumps(to_json(value))) == form


def test_a_row_is_an_object_by_column_and_no_row_is_null() -> None:
    assert row_to_json(ORDERS, (1, "n", Decimal("2.50"))) == {"id": 1, "number": "n", "total": "2.50"}
    assert row_to_json(ORDERS, None) is None


def test_an_image_of_another_table_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        row_to_json(ORDERS, (1,))
