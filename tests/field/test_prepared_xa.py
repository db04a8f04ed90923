"""An XA transaction that somebody prepared on the replica has the name of the source's (error 1440): 'skip' let the source's XA COMMIT
commit the replica's own rows."""

from __future__ import annotations

from replfix.lab.replication import wait_until_stopped
from replfix.lab.state import Server
from replfix.lab.topology import Lab
from tests import waiting
from tests.integration.running import replfix


def prepared(server: Server, row: int, *before: str) -> None:
    with server.session() as session:
        for statement in (
            *before,
            "XA START 'abc'",
            f"INSERT INTO d.t VALUES ({row})",
            "XA END 'abc'",
            "XA PREPARE 'abc'",
        ):
            session.execute(statement)


def test_the_replicas_own_is_rolled_back(any_pair: Lab) -> None:
    lab = any_pair
    with lab.source.session() as session:
        session.execute("CREATE DATABASE d")
        session.execute("CREATE TABLE d.t (id INT PRIMARY KEY)")
    lab.wait_until_applied()
    with lab.replica.session() as session:
        protected = () if session.is_mariadb else ("SET GLOBAL super_read_only = OFF",)
    prepared(lab.replica, 9, "SET sql_log_bin = 0", *protected)
    prepared(lab.source, 2)
    with lab.source.session() as session:
        session.execute("XA COMMIT 'abc'")
    wait_until_stopped(lab.replica)
    config = ("--config", str(lab.config_file))
    found = replfix("diagnose", "replica1", *config, "--json").document
    assert found["error"]["errno"] == 1440, found["error"]
    assert not [strategy["name"] for strategy in found["strategies"] if strategy["allowed"]]
    assert len(found["advice"]) == 2, found
    listing, remedy = (advice["sql"] for advice in found["advice"])
    with lab.replica.session() as session:
        assert len(session.query(listing[0])) == 1
        for statement in remedy:
            session.execute(statement)
        waiting.until(lambda: session.rows("SELECT id FROM d.t") == [("2",)], "the source's row has not come")
        waiting.until(lambda: not session.query(listing[0]), "the source's own is committed too")
