"""Reasons that the servers of the test run cannot be brought to: their counters follow every change (9.7.4, MariaDB 11.8)."""

from __future__ import annotations

from replfix.core.columns.key_probe import Match
from replfix.core.explain.duplicate import Duplicate, Product
from replfix.core.explain.explain_error import explain
from replfix.core.explain.explanation import Answer, Asked, Case, KeyLocation, Reading
from replfix.core.schema.auto_increment import AutoIncrement, Counter
from replfix.core.schema.table import KeyPart
from replfix.workflow.explain.explanations import NOBODY, explain_text
from tests.unit.making import ORDERS


def case(counter: Counter, value: str = "7") -> Case:
    duplicate = Duplicate(Product.MYSQL, "plain", "orders.PRIMARY", value)
    asked = (Match(KeyPart("id"), int(value)),)
    reading = Reading((value,), Answer.FOUND, ((int(value), "A", None),), asked)
    place = KeyLocation(ORDERS, ORDERS.unique_keys[0], (reading,), counter)
    return Case(duplicate, None, Asked("10.0.0.1:3306", "5.7.44", (place,), AutoIncrement(1, 1), False, False))


def test_a_counter_behind_its_rows() -> None:
    found = explain(case(Counter(ORDERS.column("id"), 7, 9))).reasons[0]
    assert found.code == "counter-behind"
    assert found.fixes[0].sql == ("ALTER TABLE `shop`.`orders` AUTO_INCREMENT = 10",)


def test_a_counter_that_is_in_order_is_not_accused() -> None:
    for counter in (Counter(ORDERS.column("id"), 10, 9), Counter(ORDERS.column("id"), None, 9)):
        assert "counter-behind" not in {reason.code for reason in explain(case(counter)).reasons}


def test_a_counter_at_its_end_is_used_up_and_not_behind() -> None:
    end = 2**31 - 1
    codes = {reason.code for reason in explain(case(Counter(ORDERS.column("id"), end, end), str(end))).reasons}
    assert "counter-exhausted" in codes
    assert "counter-behind" not in codes


def test_what_mariadb_puts_for_what_it_cuts_is_no_part_of_the_value() -> None:
    cut = Duplicate(Product.MYSQL, "plain", "a", "é" * 30 + "...")
    assert (cut.cut, cut.known) == (True, "é" * 30)
    assert Duplicate(Product.MYSQL, "plain", "a", "and so on...").known == "and so on..."


def test_a_table_that_is_named_counts_without_a_server_too() -> None:
    text = "Duplicate entry '7' for key 'PRIMARY'"
    (named,) = explain_text(text, NOBODY.about("shop.cart_lines"))
    assert (named.case.duplicate.schema, named.case.duplicate.table) == ("shop", "cart_lines")
    (without,) = explain_text(text, None)
    assert without.case.duplicate.table is None
