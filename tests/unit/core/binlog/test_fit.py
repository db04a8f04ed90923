"""How transactions of the backlog bear on the tables in question."""

from __future__ import annotations

import pytest

from replfix.core.binlog.column_mapping import is_elsewhere
from replfix.core.binlog.row_event import PassedOver
from replfix.core.schema.table import TableName
from tests.unit.making import WHEN

TABLES = (TableName("shop", "orders"), TableName("shop", "a`b"))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ALTER TABLE shop.customers ADD COLUMN c INT", True),
        ("/* orders */ CREATE TABLE reorders (id INT)", True),
        ("CREATE USER app", True),
        ("TRUNCATE TABLE customers", True),
        ("ALTER TABLE shop.Orders ADD COLUMN c INT", False),
        ("ALTER TABLE x EXCHANGE PARTITION p WITH TABLE `orders`", False),
        ("RENAME TABLE x TO orders", False),
        ("DROP TABLE `a``b`", False),
        ("DROP DATABASE other", False),  # which may be this one under the source's name
        ("CREATE TEMPORARY TABLE x (id INT)", False),  # rows of its transaction were logged beside it
        ("INSERT INTO customers VALUES (1)", False),  # a trigger or function may write the table
        (None, False),
    ],
)
def test_a_statement_about_other_objects(statement: str | None, expected: bool) -> None:
    passed = PassedOver("u:1", "b.000001", 4, WHEN, 1, None, statement, "why", whole=True)
    assert is_elsewhere(passed, TABLES) is expected


def test_a_statement_that_was_cut_may_name_any_table() -> None:
    assert not is_elsewhere(PassedOver("u:1", "b.000001", 4, WHEN, 1, None, "ALTER TABLE x", "why"), TABLES)
