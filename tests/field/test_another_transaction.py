"""A source that was made anew under its old identity: a GTID that the replica has received means other rows there. Nothing is planned
with those."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import replfix


def test_other_rows_under_the_same_gtid(any_pair: Lab) -> None:
    lab = any_pair
    config = ("--config", str(lab.config_file))
    with lab.source.session() as source, lab.replica.session() as replica:
        source.execute("CREATE DATABASE shop")
        source.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(10))")
        lab.wait_until_applied()
        write_locally(lab.replica, "INSERT INTO shop.t VALUES (5, 'local')", logged=False)
        source.execute("INSERT INTO shop.t VALUES (5, 'first')")
        wait_until_stopped(lab.replica)
        replica.execute("STOP REPLICA IO_THREAD")
        found = replfix("diagnose", "replica1", *config, "--json").document
        assert {"source-wins", "skip"} <= {s["name"] for s in found["strategies"] if s["allowed"]}
        source.execute("DROP DATABASE shop")
        source.execute("RESET MASTER" if source.is_mariadb else "RESET BINARY LOGS AND GTIDS")
        source.execute("CREATE DATABASE shop")
        source.execute("CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(10))")
        source.execute("INSERT INTO shop.t VALUES (5, 'other')")
    found = replfix("diagnose", "replica1", *config, "--json").document
    assert not [s["name"] for s in found["strategies"] if s["allowed"]]
    assert "has received other rows" in found["strategies"][0]["reason"], found["strategies"]
