"""Stops that no strategy can end, and of which nothing more was said: a filter leaves out the child of a replicated table, and a
MEMORY table was emptied by a restart."""

from __future__ import annotations

import pytest

from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from tests.field.staging import rows, run, stage
from tests.following.follower import Follower
from tests.integration.resolve.test_trials import filtered

FAMILY = (
    "CREATE TABLE p (id INT PRIMARY KEY)",
    "CREATE TABLE c (id INT PRIMARY KEY, p INT, CONSTRAINT c_p FOREIGN KEY (p) REFERENCES p (id))",
    "INSERT INTO p VALUES (1), (2)",
    "INSERT INTO c VALUES (10, 1)",
)


@pytest.mark.parametrize(
    ("ignored", "writes", "errno"),
    [
        ("c", ("DELETE FROM shop.c WHERE id = 10", "DELETE FROM shop.p WHERE id = 1"), 1451),
        ("p", ("INSERT INTO shop.p VALUES (3)", "INSERT INTO shop.c VALUES (30, 3)"), 1452),
    ],
)
def test_a_foreign_key_to_a_table_that_the_filters_leave_out(
    pair: Lab, ignored: str, writes: tuple[str, ...], errno: int
) -> None:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    with pair.source.session() as source:
        for statement in ("CREATE DATABASE shop", "USE shop", *FAMILY):
            source.execute(statement)
    pair.wait_until_applied()
    with filtered(pair, f"REPLICATE_IGNORE_TABLE = (shop.{ignored})", "REPLICATE_IGNORE_TABLE = ()"):
        with pair.source.session() as source:
            for statement in writes:
                source.execute(statement)
        wait_until_stopped(pair.replica)
        ran = run(pair, "resolve", "replica1", "--yes")
        assert (ran.code, ran.document["hint"]) == (
            4,
            "'replfix diagnose' shows the manual steps, with their statements.",
        )
        follower = Follower(pair)
        document = follower.diagnose()
        assert document["error"]["errno"] == errno
        (remedy,) = document["advice"]
        assert remedy["loses"] == [{"number": 1, "what": "foreign key", "of": "shop.c: c_p"}]
        assert follower.run(remedy["where"], remedy["sql"]) == []
        pair.wait_until_applied()
        kept = "p" if ignored == "c" else "c"
        assert rows(pair.replica, f"SELECT * FROM shop.{kept}") == rows(pair.source, f"SELECT * FROM shop.{kept}")


def test_a_memory_table_that_is_empty(pair: Lab) -> None:
    stage(
        pair,
        ("CREATE TABLE m (id INT PRIMARY KEY, v INT) ENGINE = MEMORY", "INSERT INTO m VALUES (1, 1), (2, 2)"),
        ("DELETE FROM m",),
        ("UPDATE m SET v = 9 WHERE id = 2",),
        ("DELETE FROM m WHERE id = 1",),
    )
    followed = Follower(pair).follow()
    assert (followed.remedies, followed.end, followed.faults) == (2, "caught-up", []), followed
    assert "A restart of the replica empties shop.m" in str(followed)
    assert rows(pair.replica, "SELECT * FROM shop.m") == [("2", "9")]
