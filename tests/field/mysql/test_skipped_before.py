"""Transactions that count as applied and are not in the data: one of their rows stopped the replica and was put back, and that the
others are missing was said nowhere. The outcome was 'resolved'."""

from __future__ import annotations

from replfix.core.incident.skipped import REST_IS_MISSING
from replfix.core.sql import string
from replfix.lab.flavours import speaking
from replfix.lab.replicate import executed, wait_until_stopped
from replfix.lab.topology import Lab
from tests.integration.running import replfix


def test_the_rows_of_other_skipped_transactions_are_named(pair: Lab) -> None:
    with pair.source.session() as source:
        source.execute("CREATE DATABASE d")
        source.execute("CREATE TABLE d.t (id INT PRIMARY KEY, v INT)")
    pair.wait_until_applied()
    with pair.replica.session() as replica:
        replica.execute("STOP REPLICA")
        with pair.source.session() as source:
            for row in (1, 2, 3):
                source.execute(f"INSERT INTO d.t VALUES ({row}, {row})")
            counted = executed(source)
        with speaking(replica).writable(replica):
            speaking(replica).forget(replica)  # and a position of now, with the data of before
            replica.execute(f"SET GLOBAL gtid_purged = {string(str(counted))}")
        replica.execute("START REPLICA")
    with pair.source.session() as source:
        source.execute("UPDATE d.t SET v = 9 WHERE id = 2")
    wait_until_stopped(pair.replica)
    config = str(pair.config_file)
    diagnosis = replfix("diagnose", "replica1", "--config", config, "--json").document
    cause = next(c for c in diagnosis["causes"] if c["code"] == "restored-copy")
    assert REST_IS_MISSING in cause["evidence"]
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out + ran.err
    with pair.replica.session() as session:
        assert session.rows("SELECT id FROM d.t") == [("2",)]  # so it is
    assert ran.document["hint"] == REST_IS_MISSING
    assert REST_IS_MISSING in ran.document["rounds"][0]["risks"]
