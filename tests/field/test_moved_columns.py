"""Labels or columns that lie in another order on the replica: an UPDATE does not find its row (1032), and nothing is missing."""

from __future__ import annotations

import pytest

from replfix.lab.topology import Lab
from tests.field.staging import refused, stage
from tests.following.follower import CAUGHT_UP, Follower

ENUM = "ENUM('x', 'y', 'z')"
OTHER = "ALTER TABLE t MODIFY e ENUM('z', 'y', 'x')"


@pytest.mark.parametrize(
    ("columns", "rows", "moved", "update", "words"),
    [
        (f"id INT, e {ENUM}", "(1, 'x'), (2, 'y')", OTHER, "UPDATE t SET id = 5 WHERE id = 1", "'x' would be stored as 'z'"),
        (f"e {ENUM} PRIMARY KEY, n INT", "('x', 1), ('y', 2)", f"{OTHER} NOT NULL", "UPDATE t SET n = 5 WHERE e = 'x'", "other labels"),
        ("id INT, e SET('x', 'y')", "(1, 'x'), (2, 'y')", "ALTER TABLE t MODIFY e SET('y', 'x')", "UPDATE t SET id = 5 WHERE id = 1", "other labels"),
        ("x INT, y INT", "(1, 2), (3, 4)", "ALTER TABLE t MODIFY x INT AFTER y", "UPDATE t SET y = 9 WHERE x = 1", "another order"),
        ("x INT, id INT PRIMARY KEY", "(5, 1), (6, 3)", "ALTER TABLE t MODIFY x INT AFTER id", "UPDATE t SET x = 9 WHERE id = 3", "another order"),
    ],
    ids=["labels", "labels of the key", "labels of a SET", "columns", "columns of a keyed table"],
)  # fmt: skip
def test_the_columns_are_the_cause_and_an_alter_the_remedy(
    any_pair: Lab, columns: str, rows: str, moved: str, update: str, words: str
) -> None:
    stage(any_pair, (f"CREATE TABLE t ({columns})", f"INSERT INTO t VALUES {rows}"), [moved], [update])
    follower = Follower(any_pair)
    found = follower.diagnose()
    assert found["error"]["errno"] == 1032
    assert found["causes"][0]["code"] == "schema-drift"
    refused(any_pair, words, "SELECT * FROM shop.t")
    (remedy,) = found["advice"]
    assert remedy["leads_to"]["code"] == "same-columns"
    assert any("MODIFY COLUMN" in statement for statement in remedy["sql"])
    followed = follower.follow()
    assert (followed.end, followed.faults) == (CAUGHT_UP, []), followed


@pytest.mark.parametrize(
    "moved", ["MODIFY n INT FIRST", "MODIFY b VARCHAR(30) AFTER id", "ADD COLUMN x INT FIRST", "DROP COLUMN b"]
)
def test_another_column_is_not_made_what_the_event_needs(any_pair: Lab, moved: str) -> None:
    """A later ALTER TABLE hides the definition of then. The message names a column by its place, which is another column's here: it was
    to be given that one's type."""
    setup = ("CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(10), b VARCHAR(30), n INT)",)
    then = ("ALTER TABLE t ADD COLUMN later INT", "CREATE INDEX named ON t (n, b)")
    stage(any_pair, setup, [f"ALTER TABLE t {moved}"], ["INSERT INTO t VALUES (1, 'a', 'b', 1)"], then)
    found = Follower(any_pair).diagnose()
    assert found["error"]["page"] == "docs/errors/column-types.md"
    assert not any(remedy["sql"] for remedy in found["advice"])
    assert "nothing can be run here" in found["advice"][-1]["text"]


def test_a_column_of_a_foreign_key_is_not_given_another_type(any_pair: Lab) -> None:
    """No server does that (error 1832): the ALTER TABLE that was printed could not be run."""
    tables = (
        "CREATE TABLE p (id VARCHAR({0}) PRIMARY KEY)",
        "CREATE TABLE t (id INT PRIMARY KEY, p VARCHAR({0}), CONSTRAINT fk FOREIGN KEY (p) REFERENCES p (id))",
    )
    setup, drift = ([each.format(length) for each in tables] for length in (10, 5))
    drift = ["DROP TABLE t", "DROP TABLE p", *drift]
    stage(any_pair, setup, drift, ["INSERT INTO t VALUES (1, NULL)"], ("ALTER TABLE t ADD COLUMN later INT",))
    found = Follower(any_pair).diagnose()
    assert found["error"]["page"] == "docs/errors/column-types.md"
    assert not any(remedy["sql"] for remedy in found["advice"])
    assert "and the foreign key fk there" in found["advice"][-1]["text"]
