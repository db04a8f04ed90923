"""A transaction fails, and behind it the source has altered the table: what the event is about is what the replica still has."""

from __future__ import annotations

import pytest

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import replfix

BEHIND = (
    "ALTER TABLE shop.t ADD COLUMN b INT",
    "ALTER TABLE shop.t ADD COLUMN b INT FIRST",
    "ALTER TABLE shop.t DROP COLUMN c",
    "ALTER TABLE shop.t MODIFY COLUMN c BIGINT FIRST",
    "ALTER TABLE shop.t MODIFY COLUMN a VARCHAR(90)",
    "RENAME TABLE shop.t TO shop.other",
    "DROP TABLE shop.t",
    "ALTER TABLE shop.unrelated ADD COLUMN b INT",
)


@pytest.mark.parametrize("behind", BEHIND)
def test_an_alter_behind_the_failing_transaction_is_no_obstacle(as_shipped: Lab, behind: str) -> None:
    lab = as_shipped
    with lab.source.session() as source:
        source.execute("CREATE DATABASE shop")
        source.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, a VARCHAR(20), c INT)")
        source.execute("CREATE TABLE shop.unrelated (id INT PRIMARY KEY)")
        source.execute("INSERT INTO shop.t VALUES (1, 'one', 1)")
        lab.wait_until_applied()
        write_locally(lab.replica, "INSERT INTO shop.t VALUES (3, 'here', 30)", logged=False)
        source.execute("SET SESSION binlog_format = ROW")
        source.execute("INSERT INTO shop.t VALUES (3, 'three', 3)")
        source.execute(behind)
        source.execute("INSERT INTO shop.unrelated (id) VALUES (1)")
    wait_until_stopped(lab.replica)
    done = replfix("resolve", "replica1", "--yes", "--json", "--config", str(lab.config_file))
    assert (done.code, done.document["outcome"]) == (0, "resolved"), done
    step = done.document["rounds"][0]["steps"][0]
    assert step["current"] == {"id": 3, "a": "here", "c": 30}
    lab.wait_until_applied()
    with lab.source.session() as source, lab.replica.session() as replica:
        tables = [name for (name,) in source.rows("SHOW TABLES FROM shop")]
        for table in tables:
            read = f"SELECT * FROM shop.{table} ORDER BY id"
            assert replica.rows(read) == source.rows(read)


@pytest.mark.parametrize("behind", BEHIND[:2] + BEHIND[3:5])
def test_a_row_of_the_source_that_is_in_the_way_is_put_right_from_its_altered_table(
    as_shipped: Lab, behind: str
) -> None:
    """Only one value of row 7 diverged: taken out, it would be missing for good."""
    lab = as_shipped
    with lab.source.session() as source:
        source.execute("CREATE DATABASE shop")
        source.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, a VARCHAR(20), c INT, UNIQUE KEY (c))")
        source.execute("CREATE TABLE shop.unrelated (id INT PRIMARY KEY)")
        source.execute("INSERT INTO shop.t VALUES (1, 'one', 1), (7, 'seven', 70)")
        lab.wait_until_applied()
        write_locally(lab.replica, "UPDATE shop.t SET c = 3 WHERE id = 7", logged=False)
        source.execute("SET SESSION binlog_format = ROW")
        source.execute("INSERT INTO shop.t VALUES (3, 'three', 3)")
        source.execute(behind)
        source.execute("UPDATE shop.t SET a = 'seven again' WHERE id = 7")
    wait_until_stopped(lab.replica)
    done = replfix("resolve", "replica1", "--yes", "--json", "--config", str(lab.config_file))
    assert (done.code, done.document["outcome"]) == (0, "resolved"), done
    lab.wait_until_applied()
    with lab.source.session() as source, lab.replica.session() as replica:
        read = "SELECT * FROM shop.t ORDER BY id"
        assert replica.rows(read) == source.rows(read)


@pytest.mark.parametrize(
    ("behind", "code"),
    [
        ("ALTER TABLE shop.unrelated ADD COLUMN b INT", 0),
        ("ALTER TABLE shop.t ADD COLUMN b INT", 4),
    ],
)
def test_a_row_that_the_source_gets_later_is_not_put_there_before_its_time(
    as_shipped: Lab, behind: str, code: int
) -> None:
    """Row 7 is the replica's own, and the source has one too, with the key of row 8, which is gone by then."""
    lab = as_shipped
    with lab.source.session() as source:
        source.execute("CREATE DATABASE shop")
        source.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, a VARCHAR(20), c INT, UNIQUE KEY (c))")
        source.execute("CREATE TABLE shop.unrelated (id INT PRIMARY KEY)")
        source.execute("INSERT INTO shop.t VALUES (1, 'one', 1)")
        lab.wait_until_applied()
        write_locally(lab.replica, "INSERT INTO shop.t VALUES (7, 'here', 80)", logged=False)
        source.execute("SET SESSION binlog_format = ROW")
        source.execute("INSERT INTO shop.t VALUES (8, 'eight', 80)")
        source.execute(behind)
        source.execute("DELETE FROM shop.t WHERE id = 8")
        source.execute("INSERT INTO shop.t (id, a, c) VALUES (7, 'seven', 80)")
    wait_until_stopped(lab.replica)
    done = replfix("resolve", "replica1", "--yes", "--json", "--config", str(lab.config_file))
    assert done.code == code, done
    if code:
        said = replfix("diagnose", "replica1", "--json", "--config", str(lab.config_file)).document["strategies"][0]
        assert not said["allowed"]
        assert "how is unknown" in said["reason"]
        return
    assert done.document["rounds"][0]["steps"][0]["current"] == {"id": 7, "a": "here", "c": 80}
    lab.wait_until_applied()
    with lab.source.session() as source, lab.replica.session() as replica:
        read = "SELECT * FROM shop.t ORDER BY id"
        assert replica.rows(read) == source.rows(read)
