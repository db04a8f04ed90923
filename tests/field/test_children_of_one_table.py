"""A table that references itself: a row of the transaction can be the child that is in the way of another one of it."""

from __future__ import annotations

from replfix.lab.topology import Lab
from tests.field.staging import resolved, stage


def test_a_child_that_the_transaction_expects_otherwise_is_one_row(any_pair: Lab) -> None:
    """It was planned for twice, as a changed row and as a child too many: the guard counted one row of two, and asked to run again, for ever."""
    stage(
        any_pair,
        ["CREATE TABLE t (id INT PRIMARY KEY, a INT, p INT, FOREIGN KEY (p) REFERENCES t (id))", "INSERT INTO t VALUES (1, 0, NULL), (2, 5, NULL), (3, 3, 2)"],
        ["UPDATE t SET a = 9, p = 1 WHERE id = 2"],
        ["DELETE FROM t WHERE id = 1", "UPDATE t SET a = 6, p = 3 WHERE id = 2"],
    )  # fmt: skip
    ran = resolved(any_pair, "SELECT * FROM shop.t ORDER BY id")
    (done,) = ran.document["rounds"]
    assert [(step["kind"], step["current"]["id"]) for step in done["steps"]] == [("update", 2)]
