"""Events of MariaDB that hold more than the table shows: a sequence's row beside the row that took a number from it, the hash of a
unique key that is too long for an index, the period of a system-versioned row. The reasons that were given were false: "has no
table any more", "had 3 columns in the binary log"."""

from __future__ import annotations

import pytest

from replfix.lab.replicate import transaction, wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.conftest import SERVERS, by_server
from tests.integration.running import replfix

METADATA = ("NO_LOG", "FULL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "mariadb" in metafunc.fixturenames:
        on = [param for param in by_server(metafunc.config) if param.values[0] in SERVERS[1:]]
        metafunc.parametrize("mariadb", on, indirect=True)


@pytest.fixture
def mariadb(request: pytest.FixtureRequest) -> Lab:
    lab: Lab = request.getfixturevalue("labs")(request.param)
    lab.reset()
    return lab


@pytest.mark.parametrize("metadata", METADATA)
def test_sequences_and_hashes(mariadb: Lab, metadata: str) -> None:
    with mariadb.source.session() as source:
        for statement in (
            "CREATE DATABASE d",
            "CREATE SEQUENCE d.sq START WITH 10",
            "CREATE TABLE d.t (id BIGINT PRIMARY KEY DEFAULT nextval(d.sq), v INT)",
            "CREATE TABLE d.h (id INT PRIMARY KEY, t TEXT, w INT, UNIQUE KEY (t) USING HASH)",
            "INSERT INTO d.h VALUES (1, 'one', 1), (2, 'two', 2)",
        ):
            source.execute(statement)
        mariadb.wait_until_applied()
        write_locally(
            mariadb.replica,
            "INSERT INTO d.t VALUES (10, 99)",
            "UPDATE d.h SET t = 'three' WHERE id = 2",
            "DELETE FROM d.h WHERE id = 1",
            logged=False,
        )
        source.execute(f"SET GLOBAL binlog_row_metadata = {metadata}")
        transaction(source, "INSERT INTO d.t (v) VALUES (1), (2)")
        transaction(source, "UPDATE d.h SET w = 5 WHERE id = 1", "INSERT INTO d.h VALUES (3, 'three', 3)")
    wait_until_stopped(mariadb.replica)
    wait_until_received(mariadb.source, mariadb.replica)
    with mariadb.replica.session() as session:
        number = session.scalar("SELECT next_not_cached_value FROM d.sq")
    config = str(mariadb.config_file)
    dry = replfix("resolve", "replica1", "--dry-run", "--config", config, "--json")
    assert dry.code == 3, dry.out + dry.err
    with mariadb.replica.session() as session:
        assert session.scalar("SELECT next_not_cached_value FROM d.sq") == number, "the rehearsal moved the sequence"
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    mariadb.wait_until_applied()
    for query in (
        "SELECT * FROM d.t ORDER BY id",
        "SELECT * FROM d.h ORDER BY id",
        "SELECT next_not_cached_value FROM d.sq",
    ):
        with mariadb.source.session() as source, mariadb.replica.session() as session:
            assert session.rows(query) == source.rows(query)


@pytest.mark.parametrize("metadata", METADATA)
def test_a_system_versioned_table_is_refused_by_name(mariadb: Lab, metadata: str) -> None:
    with mariadb.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute("CREATE TABLE d.v (id INT PRIMARY KEY, w INT) WITH SYSTEM VERSIONING")
        mariadb.wait_until_applied()
        write_locally(mariadb.replica, "INSERT INTO d.v VALUES (1, 9)", logged=False)
        source.execute(f"SET GLOBAL binlog_row_metadata = {metadata}")
        source.execute("INSERT INTO d.v VALUES (1, 1)")
    wait_until_stopped(mariadb.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", str(mariadb.config_file), "--json")
    assert ran.code == 4, ran.out + ran.err
    assert "system-versioned" in ran.document["message"], ran.out
    assert "any more" not in ran.out
    assert "had 4 columns" not in ran.out
