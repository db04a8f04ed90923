"""A statement in a time zone that the replica does not know (1298): the server's own tool and client are printed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from tests.field.staging import write_unlogged
from tests.following.follower import Follower

MADE = (
    "INSERT INTO mysql.time_zone VALUES (77, 'N')",
    "INSERT INTO mysql.time_zone_name VALUES ('Nowhere', 77)",
    "INSERT INTO mysql.time_zone_transition_type VALUES (77, 0, 3600, 0, 'XST')",
)
TABLES = ("time_zone", "time_zone_name", "time_zone_transition_type")


@pytest.fixture
def knowing(any_pair: Lab) -> Iterator[Lab]:
    """The source knows a zone of its own."""
    write_unlogged(any_pair, any_pair.source, *MADE)
    yield any_pair
    for server in (any_pair.source, any_pair.replica):
        write_unlogged(any_pair, server, *(f"DELETE FROM mysql.{name} WHERE Time_zone_id = 77" for name in TABLES))


def test_the_zones_are_loaded_and_the_statement_runs(knowing: Lab) -> None:
    lab = knowing
    with lab.source.session() as session:
        mariadb = session.is_mariadb
        for statement in (
            *("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, at DATETIME)"),
            *("SET time_zone = 'Nowhere'", "SET binlog_format = STATEMENT", "INSERT INTO d.t VALUES (1, NOW())"),
        ):
            session.execute(statement)
    assert wait_until_stopped(lab.replica).errno == 1298
    steps = [remedy for remedy in Follower(lab).diagnose()["advice"] if remedy["sql"]]
    (loading,) = (step for step in steps if step["where"] == "shell")
    tool, client = ("mariadb-tzinfo-to-sql", "mariadb") if mariadb else ("mysql_tzinfo_to_sql", "mysql")
    assert loading["leads_to"]["code"] == "next-step"
    assert loading["sql"][0].startswith(f"{tool} /usr/share/zoneinfo | {client} ")
    for step in steps:
        if step is loading:
            write_unlogged(lab, lab.replica, *MADE)  # what the tool does, for a zone that no machine has
        else:
            assert Follower(lab).run(step["where"], step["sql"]) == []
    lab.wait_until_applied()
