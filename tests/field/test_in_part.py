"""The source logs rows in part (binlog_row_image MINIMAL, NOBLOB), and the replica lacks one of them."""

from __future__ import annotations

import pytest

from replfix.lab.topology import Lab
from tests.field.staging import refused, resolved, stage

SETUP = (
    "CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(9), c TEXT)",
    "INSERT INTO t VALUES (1, 1, 'x', 'one'), (2, 2, 'y', 'two')",
)


@pytest.mark.parametrize("image", ["MINIMAL", "NOBLOB"])
def test_what_the_source_still_has_completes_the_row(any_pair: Lab, image: str) -> None:
    """No later change has written the columns that the event lacks: the source's row of now has them as they were then."""
    updates = ("UPDATE t SET a = 9 WHERE id = 1", "UPDATE t SET b = 'later' WHERE id = 2")
    stage(any_pair, SETUP, ["DELETE FROM t"], [], [f"SET SESSION binlog_row_image = {image}", *updates])
    ran = resolved(any_pair, "SELECT * FROM shop.t ORDER BY id")
    assert [[step["kind"] for step in done["steps"]] for done in ran.document["rounds"]] == [["insert"], ["insert"]]


def test_a_column_that_was_written_since_is_not_guessed(any_pair: Lab) -> None:
    """How the column was then is in no event, and the source has another value of it now."""
    updates = ("UPDATE t SET a = 9 WHERE id = 1", "UPDATE t SET c = 'other' WHERE id = 1")
    stage(any_pair, SETUP, ["DELETE FROM t WHERE id = 1"], [], ["SET SESSION binlog_row_image = MINIMAL", *updates])
    refused(any_pair, "the event did not log all of its columns", "SELECT * FROM shop.t")
