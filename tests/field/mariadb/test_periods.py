"""A key WITHOUT OVERLAPS: a period of the replica overlaps one that comes in, and 'Nothing is in the way any more' was said."""

from __future__ import annotations

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests.integration.running import replfix


def test_overlapping_periods_are_refused_by_name(any_pair: Lab) -> None:
    with any_pair.source.session() as source:
        if not source.is_mariadb:
            return  # MySQL has no such key
        source.execute("CREATE DATABASE d")
        source.execute(
            "CREATE TABLE d.t (id INT, s DATE, e DATE, PERIOD FOR p (s, e), UNIQUE KEY k (id, p WITHOUT OVERLAPS))"
        )
        any_pair.wait_until_applied()
        write_locally(any_pair.replica, "INSERT INTO d.t VALUES (1, '2026-01-01', '2026-06-01')", logged=False)
        source.execute("INSERT INTO d.t VALUES (1, '2026-03-01', '2026-09-01')")
    wait_until_stopped(any_pair.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", str(any_pair.config_file), "--json")
    assert ran.code == 4, ran.out + ran.err
    assert "WITHOUT OVERLAPS" in ran.document["message"], ran.out
    assert "Nothing is in the way" not in ran.out
    assert "somebody changed it" not in ran.out
