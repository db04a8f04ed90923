"""The source logs rows in part (binlog_row_image MINIMAL, NOBLOB), and the replica lacks one of them, or has one in the way."""

from __future__ import annotations

import pytest

from replfix.lab.topology import Lab
from tests.convergence.left_out import logged
from tests.field.staging import diagnosed, refused, resolved, stage
from tests.following.follower import CAUGHT_UP, Follower

SETUP = (
    "CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(9), c TEXT)",
    "INSERT INTO t VALUES (1, 1, 'x', 'one'), (2, 2, 'y', 'two')",
)
MINIMAL = "SET SESSION binlog_row_image = MINIMAL"


def minimal(lab: Lab, local: str, *then: str, setup: tuple[str, ...] = SETUP) -> None:
    stage(lab, setup, [local], [], [MINIMAL, *then])


def followed(lab: Lab, *ends: str) -> None:
    """What is printed leads to these ends, one after the other, and to equal servers."""
    follower = Follower(lab)
    first = follower.diagnose()["advice"]
    assert [remedy["leads_to"]["code"] for remedy in first] == list(ends[:1]), first
    done = follower.follow()
    assert (done.end, done.faults, done.remedies) == (CAUGHT_UP, [], len(ends)), done


@pytest.mark.parametrize("image", ["MINIMAL", "NOBLOB"])
def test_what_the_source_still_has_completes_the_row(any_pair: Lab, image: str) -> None:
    """No later change has written the columns that the event lacks: the source's row of now has them as they were then."""
    updates = ("UPDATE t SET a = 9 WHERE id = 1", "UPDATE t SET b = 'later' WHERE id = 2")
    stage(any_pair, SETUP, ["DELETE FROM t"], [], [f"SET SESSION binlog_row_image = {image}", *updates])
    ran = resolved(any_pair, "SELECT * FROM shop.t ORDER BY id")
    assert [step["kind"] for done in ran.document["rounds"] for step in done["steps"]] == ["insert", "insert"]


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ("a INT", "writes a of a row"),
        ("a INT NOT NULL, UNIQUE KEY (a)", "writes a of a row"),
        ("a INT NOT NULL, FOREIGN KEY (a) REFERENCES p (id)", "do not get it"),
    ],
)
def test_the_replica_logs_what_the_transaction_writes(any_pair: Lab, made: str, told: str) -> None:
    """A row that is put back as the UPDATE leaves it is not changed by it, and the servers below would never get that."""
    setup = (
        "CREATE TABLE p (id INT PRIMARY KEY)", "INSERT INTO p VALUES (0), (1), (2), (9)",
        f"CREATE TABLE t (id INT PRIMARY KEY, b INT, {made})", "INSERT INTO t VALUES (1, 7, 2), (2, 7, 1), (9, 7, 0)",
    )  # fmt: skip
    minimal(any_pair, "DELETE FROM t WHERE id = 1", "UPDATE t SET a = 9 WHERE id = 1", setup=setup)
    failing = diagnosed(any_pair).document["transaction"]["gtid"]
    ran = resolved(any_pair, "SELECT * FROM shop.t ORDER BY id")
    (done,) = ran.document["rounds"]
    assert any(told in risk for risk in done["risks"]), done["risks"]
    with any_pair.replica.session() as replica:
        assert logged(replica).get(failing, False) == (told != "do not get it")


def test_a_column_that_was_written_since_is_not_guessed(any_pair: Lab) -> None:
    """How the column was then is in no event. The source's value of now is printed, with what it is."""
    minimal(
        any_pair,
        "DELETE FROM t WHERE id = 1",
        "UPDATE t SET a = 9 WHERE id = 1",
        "UPDATE t SET c = 'other' WHERE id = 1",
    )
    words = "the event did not log all of its columns (binlog_row_image is not FULL on the source). 'replfix diagnose' prints what can be done"
    refused(any_pair, words, "SELECT * FROM shop.t")
    failing = diagnosed(any_pair).document["transaction"]["gtid"]
    followed(any_pair, "next-row")
    with any_pair.replica.session() as replica:
        assert logged(replica).get(failing), (
            "the row of now is as the UPDATE leaves it: replicas below would not get it"
        )


@pytest.mark.parametrize("image", ["MINIMAL", "NOBLOB"])
def test_a_row_that_the_transaction_deletes_only_has_to_be_there(any_pair: Lab, image: str) -> None:
    setup = (
        "CREATE TABLE t (id INT PRIMARY KEY, a DECIMAL(8, 2) NOT NULL, b TIMESTAMP NOT NULL DEFAULT NOW(), c TEXT NOT NULL, u INT UNIQUE)",
        "INSERT INTO t (id, a, c, u) VALUES (1, 1, 'one', 1), (2, 2, 'two', 2)",
    )
    delete = ["DELETE FROM t WHERE id = 1", "UPDATE t SET a = 7 WHERE id = 2"]
    stage(any_pair, setup, ["DELETE FROM t WHERE id = 1"], [f"SET SESSION binlog_row_image = {image}", *delete])
    ran = resolved(any_pair, "SELECT * FROM shop.t ORDER BY id")
    assert [[step["kind"] for step in done["steps"]] for done in ran.document["rounds"]] == [["insert"]]


def test_a_row_that_is_gone_on_the_source_too_is_left_out(any_pair: Lab) -> None:
    minimal(any_pair, "DELETE FROM t WHERE id = 1", "UPDATE t SET a = 9 WHERE id = 1", "DELETE FROM t WHERE id = 1")
    followed(any_pair, "left-out")


def test_a_key_that_the_event_does_not_hold_is_read_off_the_message(any_pair: Lab) -> None:
    """A default of a unique key: the row in the way is printed, and source-wins says why it does not do it."""
    setup = ("CREATE TABLE t (id INT PRIMARY KEY, a INT, k INT UNIQUE DEFAULT 5)", "INSERT INTO t VALUES (1, 1, 1)")
    minimal(any_pair, "INSERT INTO t VALUES (7, 7, 5)", "INSERT INTO t (id, a) VALUES (8, 8)", setup=setup)
    refused(any_pair, "The key that shop.t stopped on is not in the event", "SELECT * FROM shop.t")
    followed(any_pair, "next-row")


def test_half_of_a_key_is_completed_from_the_row_that_is_changed(any_pair: Lab) -> None:
    setup = (
        "CREATE TABLE t (id INT PRIMARY KEY, a INT, b INT, UNIQUE KEY ab (a, b))",
        "INSERT INTO t VALUES (1, 1, 1)",
    )
    minimal(any_pair, "INSERT INTO t VALUES (9, 5, 1)", "UPDATE t SET a = 5 WHERE id = 1", setup=setup)
    ran = resolved(any_pair, "SELECT * FROM shop.t ORDER BY id")
    assert ran.document["displaced_rows"] == 1


@pytest.mark.parametrize(
    "updates",
    [
        ("UPDATE t SET id = 5 WHERE id = 1",),
        ("UPDATE t SET id = 5, a = 9 WHERE id = 1",),
        ("UPDATE t SET a = 9 WHERE id = 1", "UPDATE t SET id = 5 WHERE id = 1", "UPDATE t SET id = 1 WHERE id = 2"),
        ("UPDATE t SET id = 5 WHERE id = 1", "UPDATE t SET id = 6 WHERE id = 5", "UPDATE t SET id = 1 WHERE id = 2"),
    ],
)
def test_a_row_that_moves_to_another_key_is_found_there(any_pair: Lab, updates: tuple[str, ...]) -> None:
    """Never with values that were made up for a row that goes, nor with those of a row that has its key since."""
    minimal(any_pair, "DELETE FROM t WHERE id = 1", *updates)
    resolved(any_pair, "SELECT * FROM shop.t ORDER BY id")


def test_a_row_that_another_one_has_replaced_is_gone(any_pair: Lab) -> None:
    updates = ("UPDATE t SET a = 9 WHERE id = 1", "DELETE FROM t WHERE id = 1", "UPDATE t SET id = 1 WHERE id = 2")
    minimal(any_pair, "DELETE FROM t WHERE id = 1", *updates)
    followed(any_pair, "left-out")
