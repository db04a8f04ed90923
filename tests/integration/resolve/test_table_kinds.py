"""Tables that are not as simple as they look: partitions, generated columns, large rows, counters. Judged by plain SQL."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.lab.proof import prove, snapshot
from replfix.lab.replicate import transaction, wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import replfix


@dataclass(frozen=True)
class Case:
    setup: tuple[str, ...]
    local: tuple[str, ...]  # on the replica, not logged
    failing: tuple[str, ...]  # on the source, one transaction
    steps: tuple[str, ...]  # their kinds


BLOB = "RPAD(UNHEX('{}'), 3 << 20, UNHEX('00FF5C27E9'))"  # 3 MiB

CASES = {
    "a row in another partition than the one that comes": Case(
        ("CREATE TABLE d.t (id INT, at INT, v VARCHAR(9), PRIMARY KEY (at, id), UNIQUE KEY (at, v)) PARTITION BY RANGE (at) "
         "(PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (20), PARTITION c VALUES LESS THAN MAXVALUE)",
         "INSERT INTO d.t VALUES (1, 5, 'a'), (2, 5, 'b'), (3, 15, 'c')"),
        ("DELETE FROM d.t WHERE id = 1", "UPDATE d.t SET v = 'x' WHERE id = 3", "INSERT INTO d.t VALUES (9, 25, 'new')"),
        ("UPDATE d.t SET at = 25, v = 'moved' WHERE id = 1", "UPDATE d.t SET at = 5 WHERE id = 3", "INSERT INTO d.t VALUES (8, 25, 'new')"),
        ("delete", "delete", "insert", "insert"),
    ),
    "partitions by list and by hash, without a key": Case(
        ("CREATE TABLE d.t (a INT, v VARCHAR(9)) PARTITION BY LIST (a) (PARTITION x VALUES IN (1, 2), PARTITION y VALUES IN (3, NULL))",
         "CREATE TABLE d.h (id INT PRIMARY KEY, v INT) PARTITION BY HASH (id) PARTITIONS 3",
         "INSERT INTO d.t VALUES (1, 'p'), (1, 'p'), (3, 'q'), (NULL, 'r')", "INSERT INTO d.h VALUES (1, 1), (2, 2)"),
        ("DELETE FROM d.t WHERE a = 1 LIMIT 1", "DELETE FROM d.t WHERE a IS NULL", "UPDATE d.h SET v = 9"),
        ("UPDATE d.t SET a = 3 WHERE a = 1", "UPDATE d.t SET v = 's' WHERE a IS NULL", "UPDATE d.h SET id = id + 5"),
        ("update", "update", "insert", "insert"),
    ),
    "generated columns, in keys too": Case(
        ("CREATE TABLE d.t (id INT PRIMARY KEY, a INT, b INT, s INT AS (a * 10) STORED, v INT AS (a + b) VIRTUAL, UNIQUE KEY s (s), "
         "UNIQUE KEY v (v))", "INSERT INTO d.t (id, a, b) VALUES (1, 1, 100), (2, 2, 200)"),
        ("UPDATE d.t SET b = 150 WHERE id = 1", "UPDATE d.t SET a = 7 WHERE id = 2", "INSERT INTO d.t (id, a, b) VALUES (8, 9, 300)"),
        ("UPDATE d.t SET b = 101 WHERE id = 1", "DELETE FROM d.t WHERE id = 2", "INSERT INTO d.t (id, a, b) VALUES (5, 9, 0)"),
        ("delete", "delete", "delete", "insert", "insert"),
    ),
    "rows of several megabytes": Case(
        ("CREATE TABLE d.t (id INT PRIMARY KEY, b LONGBLOB, u INT UNIQUE)", f"INSERT INTO d.t VALUES (1, {BLOB.format('01')}, 1)"),
        (f"UPDATE d.t SET b = {BLOB.format('02')}", f"INSERT INTO d.t VALUES (5, {BLOB.format('03')}, 5)"),
        ("UPDATE d.t SET u = 2 WHERE id = 1", f"INSERT INTO d.t VALUES (6, {BLOB.format('04')}, 5)"),
        ("delete", "update"),
    ),
}  # fmt: skip


def stage(lab: Lab, cases: dict[str, Case]) -> None:
    """Each case in a schema of its own, d0, d1, …: the replica stops on each of them in turn."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    numbered = list(enumerate(cases.values()))
    with lab.source.session() as source:
        for n, case in numbered:
            for statement in (f"CREATE DATABASE d{n}", *case.setup):
                source.execute(_in(n, statement))
    lab.wait_until_applied()
    write_locally(lab.replica, *(_in(n, s) for n, case in numbered for s in case.local), logged=False)
    with lab.source.session() as source:
        for n, case in numbered:
            transaction(source, *(_in(n, s) for s in case.failing))
    wait_until_stopped(lab.replica)
    wait_until_received(lab.source, lab.replica)


def _in(number: int, statement: str) -> str:
    return statement.replace(" d.", f" d{number}.")


def test_tables_of_every_kind_are_repaired(any_pair: Lab) -> None:
    stage(any_pair, CASES)
    before = snapshot(any_pair.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", str(any_pair.config_file), "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out[:5000] + ran.err
    any_pair.wait_until_applied()
    assert not [p for p in prove(any_pair.source, any_pair.replica, before) if not p.holds]
    rounds = ran.document["rounds"]
    assert len(rounds) < len(CASES), "many of them are planned together"
    for number, (name, case) in enumerate(CASES.items()):
        kinds = [step["kind"] for done in rounds for step in done["steps"] if step["schema"] == f"d{number}"]
        assert sorted(kinds) == sorted(case.steps), name


def test_a_counter_that_goes_up_is_said_and_a_value_without_a_partition_refused(any_pair: Lab) -> None:
    counting = Case(
        ("CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)", "INSERT INTO d.t VALUES (1, 1), (500, 1)"),
        ("DELETE FROM d.t WHERE id = 500", "ALTER TABLE d.t AUTO_INCREMENT = 1"),
        ("UPDATE d.t SET v = 2",),
        ("insert",),
    )
    nowhere = Case(
        ("CREATE TABLE d.t (id INT, v INT) PARTITION BY RANGE (id) (PARTITION a VALUES LESS THAN (10), PARTITION b "
         "VALUES LESS THAN (20))", "INSERT INTO d.t VALUES (1, 1), (11, 1)"),
        ("ALTER TABLE d.t DROP PARTITION b",),
        ("UPDATE d.t SET v = 2",),
        (),
    )  # fmt: skip
    stage(any_pair, {"counting": counting, "nowhere": nowhere})
    config = str(any_pair.config_file)

    def counter() -> str | None:
        with any_pair.replica.session() as session:
            if "MariaDB" not in session.server_version:
                session.execute("SET SESSION information_schema_stats_expiry = 0")
            found: str | None = session.scalar(
                "SELECT AUTO_INCREMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'd0'"
            )
            return found

    assert counter() == "2"
    dry = replfix("resolve", "replica1", "--dry-run", "--config", config, "--json")
    risk = "A row with id 500 comes to d0.t, where 1 is the highest: its AUTO_INCREMENT counter goes on after 500"
    assert any(r.startswith(risk) for r in dry.document["rounds"][0]["risks"]), dry.out + dry.err
    assert counter() == "501"  # the server takes no counter back
    before = any_pair.replica
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert (ran.code, ran.document["outcome"]) == (3, "needs_human"), ran.out + ran.err
    assert [r["digest"] for r in ran.document["rounds"]] == [dry.document["rounds"][0]["digest"]]
    assert "no partition for value 11" in ran.document["message"]
    with before.session() as session:
        assert session.rows("SELECT * FROM d0.t ORDER BY id") == [("1", "2"), ("500", "2")]
        assert session.rows("SELECT * FROM d1.t") == [("1", "1")]
