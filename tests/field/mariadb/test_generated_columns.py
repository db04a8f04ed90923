"""MariaDB 11.8.9 stopped to log generated columns of an UPDATE and a DELETE: the images lack nothing that a row is made of.

A missing row could not be put back ("binlog_row_image is not FULL", which it was), and a row that held the value of a key
over such a column was not found.
"""

from __future__ import annotations

from base64 import b64encode

import pytest

from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import transaction, wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import replfix

TABLES = (
    # Columns of many types, read by generated ones that read each other, one with a name that has to be quoted.
    "CREATE TABLE d.t (id INT PRIMARY KEY, a TINYINT UNSIGNED, c VARCHAR(9) COLLATE utf8mb4_general_ci, e ENUM('x', 'y'), "
    "at DATETIME(3), b BIT(9), f FLOAT, twice SMALLINT AS (a * 2) VIRTUAL, label VARCHAR(20) AS (concat(c, '-', a)) STORED, "
    "place INT AS (e + 0) VIRTUAL, year INT AS (year(at)) STORED, bits INT AS (b + 0) STORED, `a``b` INT AS (twice + 1) VIRTUAL, "
    "third DOUBLE AS (f / 3) STORED, digest VARBINARY(80) AS (reverse(hex(c))) STORED, UNIQUE KEY twice (twice), "
    "UNIQUE KEY label (label)) DEFAULT CHARSET utf8mb4",
    "CREATE TABLE d.nameless (a INT, v INT AS (a * 2) VIRTUAL, s INT AS (a * 3) STORED)",
)  # fmt: skip
ROW = "(id, a, c, e, at, b, f) VALUES ({0}, {0}, 'José{0}', 'y', '2026-03-04 05:06:07.089', 300 + {0}, 0.1)"
ROWS = (
    *(f"INSERT INTO d.t {ROW.format(n)}" for n in range(1, 7)),
    "INSERT INTO d.nameless (a) VALUES (1), (1), (2)",
)


def _rows(server: LabServer) -> list[list[tuple[object, ...]]]:
    with server.session() as session:
        return [session.rows(f"SELECT * FROM d.{table} ORDER BY 1, 2") for table in ("t", "nameless")]


def stage(lab: Lab, setup: tuple[str, ...], local: tuple[str, ...], failing: tuple[str, ...], *later: str) -> None:
    with lab.source.session() as source:
        for statement in ("CREATE DATABASE d", *setup):
            source.execute(statement)
    lab.wait_until_applied()
    write_locally(lab.replica, *local, logged=False)
    with lab.source.session() as source:
        transaction(source, *failing)
        for statement in later:
            source.execute(statement)
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)


def test_rows_come_back_and_keys_are_found(any_pair: Lab) -> None:
    stage(
        any_pair,
        (*TABLES, *ROWS),
        (
            "DELETE FROM d.t WHERE id IN (1, 2)",  # missing
            "UPDATE d.t SET f = 9 WHERE id = 3",  # differs
            # What the UPDATE of 4 gives it, by two keys: taken by a row of the replica, and by one that the source has as well.
            f"INSERT INTO d.t {ROW.format(50)}",
            "UPDATE d.t SET a = 40, c = 'moved' WHERE id = 5",
            "DELETE FROM d.nameless WHERE a = 2",
        ),
        (
            "UPDATE d.t SET f = 1 WHERE id IN (1, 3)",
            "DELETE FROM d.t WHERE id = 2",
            "UPDATE d.t SET a = 40, c = 'José50' WHERE id = 4",
            "UPDATE d.nameless SET a = a + 5 WHERE a = 2",
        ),
        "UPDATE d.t SET f = 7 WHERE id = 5",  # how the source had it before is in its before image
        "UPDATE d.t SET a = 50, c = 'José50' WHERE id = 6",  # the label of the row that is only on the replica
    )
    config = str(any_pair.config_file)
    diagnosis = replfix("diagnose", "replica1", "--config", config, "--json")
    assert "binlog_row_image" not in diagnosis.out, diagnosis.out
    named = {(c["kind"], c["key"]) for c in diagnosis.document["conflicts"]}
    assert {("missing", "t.PRIMARY"), ("different", "t.PRIMARY"), ("duplicate", "t.twice")} <= named
    missing = next(c for c in diagnosis.document["conflicts"] if c["kind"] == "missing" and c["table"] == "t")
    with any_pair.source.session() as session:
        row = dict(missing["expected"])
        assert (row["twice"], row["a`b"], row["place"], row["year"]) == (2, 3, 2, 2026)
        digest = session.scalar("SELECT HEX(digest) FROM d.t WHERE id = 1")
        assert row["digest"] == {"base64": b64encode(bytes.fromhex(str(digest))).decode()}
    ran = replfix("resolve", "replica1", "--yes", "--no-ahead", "--config", config, "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    any_pair.wait_until_applied()
    assert _rows(any_pair.source) == _rows(any_pair.replica)
    taken_back = replfix("undo", ran.document["audit_ids"][-1], "--config", config, "--yes", "--json")
    assert taken_back.code == 4, taken_back.out + taken_back.err
    assert "is taken by the row 6" in taken_back.document["message"]


def test_a_key_over_a_generated_column_of_a_table_that_was_altered_since(any_pair: Lab) -> None:
    """The replica, which has yet to apply the change, still has the table that the row was logged for."""
    stage(
        any_pair,
        ("CREATE TABLE d.t (id INT PRIMARY KEY, a INT, g INT AS (a * 2) STORED, UNIQUE KEY (g))",
         *TABLES[1:], "INSERT INTO d.t (id, a) VALUES (1, 1), (2, 2)"),
        ("DELETE FROM d.t WHERE id = 1", "INSERT INTO d.t (id, a) VALUES (9, 1)"),
        ("UPDATE d.t SET a = 5 WHERE id = 1",),
        "ALTER TABLE d.t ADD COLUMN note VARCHAR(9) AFTER id",
    )  # fmt: skip
    ran = replfix("resolve", "replica1", "--yes", "--config", str(any_pair.config_file), "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    (way,) = [step for step in ran.document["rounds"][0]["steps"] if step["kind"] == "delete"]
    assert way["current"] == {"id": 9, "a": 1, "g": 2}
    any_pair.wait_until_applied()
    assert _rows(any_pair.source) == _rows(any_pair.replica)


@pytest.mark.parametrize("strategy", ["keep-both", "replica-wins"])
def test_what_the_replica_has_goes_to_the_source(any_pair: Lab, strategy: str) -> None:
    stage(
        any_pair,
        ("CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, a INT, v INT AS (a * 2) VIRTUAL, s INT AS (a * 3) STORED)",
         *TABLES[1:], "INSERT INTO d.t (id, a) VALUES (1, 1), (2, 2)"),
        ("INSERT INTO d.t (id, a) VALUES (7, 9)",),
        ("UPDATE d.t SET id = 7 WHERE id = 2",),
    )  # fmt: skip
    config = str(any_pair.config_file)
    ran = replfix("resolve", "replica1", "--yes", "--strategy", strategy, "--config", config, "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    any_pair.wait_until_applied()
    assert _rows(any_pair.source) == _rows(any_pair.replica)
    kept = {"keep-both": [("1", "3"), ("2", "6"), ("9", "27")], "replica-wins": [("1", "3"), ("9", "27")]}
    with any_pair.replica.session() as session:
        assert session.rows("SELECT a, s FROM d.t ORDER BY a") == kept[strategy]


def test_a_column_that_has_another_value_each_time(any_pair: Lab) -> None:
    """MySQL lets no such column be made; on MariaDB a VIRTUAL one may call rand(). Nothing that is stored depends on it."""
    with any_pair.source.session() as session:
        often = "rand()" if "MariaDB" in session.server_version else "a"
    stage(
        any_pair,
        (f"CREATE TABLE d.t (id INT PRIMARY KEY, a INT, v VARCHAR(40) AS ({often}) VIRTUAL, s INT AS (a * 3) STORED)",
         "INSERT INTO d.t (id, a) VALUES (1, 1), (2, 2)"),
        ("DELETE FROM d.t",),
        ("UPDATE d.t SET a = 5 WHERE id = 1", "DELETE FROM d.t WHERE id = 2"),
    )  # fmt: skip
    config = str(any_pair.config_file)
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert ran.code == 0, ran.out + ran.err
    with any_pair.replica.session() as session:
        assert session.rows("SELECT id, a, s FROM d.t") == [("1", "5", "15")]
    shown = replfix("audit", "show", ran.document["audit_ids"][-1], "--config", config)
    assert shown.code == 0, shown.err


@pytest.mark.parametrize("image", ["MINIMAL", "NOBLOB"])
def test_a_row_that_is_logged_in_part_stays_one(any_pair: Lab, image: str) -> None:
    """What is not logged for another reason is still said, with the setting's name."""
    with any_pair.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute(
            "CREATE TABLE d.t (id INT PRIMARY KEY, a INT, b TEXT, v INT AS (a * 2) VIRTUAL, s INT AS (a * 3) STORED)"
        )
        source.execute("INSERT INTO d.t (id, a, b) VALUES (1, 1, 'x'), (2, 2, 'y')")
        any_pair.wait_until_applied()
        write_locally(any_pair.replica, "DELETE FROM d.t WHERE id = 1", logged=False)
        source.execute(f"SET SESSION binlog_row_image = '{image}'")
        source.execute("UPDATE d.t SET a = 5 WHERE id = 1")
        source.execute("UPDATE d.t SET b = 'later' WHERE id = 1")  # so the source's row of now does not tell
    wait_until_stopped(any_pair.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", str(any_pair.config_file), "--json")
    assert (ran.code, ran.document["outcome"]) == (4, "needs_human"), ran.out + ran.err
    assert "binlog_row_image" in ran.out
