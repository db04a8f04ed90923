"""The source logs differences of JSON documents, and the replica's document is another one (error 3648)."""

from __future__ import annotations

import pytest

from replfix.lab.topology import Lab
from tests.field.staging import diagnosed, refused, resolved, stage

SETUP = (
    "CREATE TABLE j (id INT PRIMARY KEY, d JSON, n INT)",
    "INSERT INTO j VALUES (1, JSON_OBJECT('a', 1, 'b', JSON_ARRAY(1, 2, 3), 'long', REPEAT('x', 300)), 1)",
)
UPDATE = ("SET binlog_row_value_options = PARTIAL_JSON", "UPDATE j SET d = JSON_SET(d, '$.b[1]', 99) WHERE id = 1")


@pytest.mark.parametrize(
    "local", ["UPDATE j SET d = '{\"x\": 1}'", "UPDATE j SET d = NULL, n = 5", "UPDATE j SET d = 'null'"]
)
def test_the_document_is_put_back_as_the_difference_expects_it(pair: Lab, local: str) -> None:
    """Somebody writes another document into the replica's row: the difference finds no path to change."""
    stage(pair, SETUP, [local], [], UPDATE)
    shown = diagnosed(pair).document
    assert (shown["error"]["errno"], shown["error"]["event"], shown["error"]["table"]) == (3648, "Update_rows", "j")
    assert [c["code"] for c in shown["causes"]][-1] == "row-differs"
    ran = resolved(pair, "SELECT * FROM shop.j")
    assert [step["kind"] for step in ran.document["rounds"][0]["steps"]] == ["update"]


def test_a_difference_whose_document_was_not_logged(pair: Lab) -> None:
    """With MINIMAL row images the binlog holds neither the document before the change nor the one after it; NOBLOB logs it."""
    local = ["UPDATE j SET d = '{\"x\": 1}'"]
    stage(pair, SETUP, local, [], ["SET binlog_row_image = MINIMAL", *UPDATE])
    refused(pair, "not the document that they were made for")
    pair.reset()
    stage(pair, SETUP, local, [], ["SET binlog_row_image = NOBLOB", *UPDATE])
    resolved(pair, "SELECT * FROM shop.j")
