"""Rows that somebody wrote into MariaDB's table of GTID positions stop the applier (1942): they go, and no transaction is left out."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from tests.following.follower import Follower


def test_stray_rows_are_taken_out(any_pair: Lab) -> None:
    with any_pair.source.session() as session:
        if not session.is_mariadb:
            return
        session.execute("CREATE DATABASE d")
        session.execute("CREATE TABLE d.t (id INT PRIMARY KEY)")
    any_pair.wait_until_applied()
    with any_pair.replica.session() as session:
        newest = (
            "SELECT domain_id, MAX(sub_id), server_id FROM mysql.gtid_slave_pos GROUP BY 1, 3 ORDER BY 2 DESC LIMIT 1"
        )
        ((domain, number, server),) = session.rows(newest)
        session.execute("SET sql_log_bin = 0")
        for more in (1, 2, 3):
            session.execute(f"INSERT INTO mysql.gtid_slave_pos VALUES ({domain}, {int(number) + more}, {server}, 1)")
    with any_pair.source.session() as session:
        session.execute("INSERT INTO d.t VALUES (1)")
    wait_until_stopped(any_pair.replica)
    followed = Follower(any_pair).follow()
    assert (followed.end, followed.faults) == ("caught-up", []), str(followed)
