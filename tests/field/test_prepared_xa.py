"""A prepared XA transaction of the replica has the name of the source's (error 1440), or was ended there by hand (1397)."""

from __future__ import annotations

import pytest

from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_received, wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from tests import waiting
from tests.field.staging import elsewhere
from tests.following.follower import Follower
from tests.integration.running import replfix

WRITES = (
    "INSERT INTO d.t VALUES (9, '2026-07-01 12:00:00')",
    "UPDATE d.t SET at = NULL WHERE id = 2",
    "DELETE FROM d.t WHERE id = 3",
)


def prepared(server: LabServer, *statements: str, before: tuple[str, ...] = ()) -> None:
    with server.session() as session:
        for statement in (*before, "XA START 'abc'", *statements, "XA END 'abc'", "XA PREPARE 'abc'"):
            session.execute(statement)


def table(lab: Lab) -> None:
    with lab.source.session() as session:
        for statement in (
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, at TIMESTAMP NULL)",
            "INSERT INTO d.t VALUES (1, NOW()), (2, NOW()), (3, NOW())",
        ):
            session.execute(statement)
    lab.wait_until_applied()


def test_the_replicas_own_is_rolled_back(any_pair: Lab) -> None:
    """'skip' let the source's XA COMMIT commit the replica's own rows."""
    lab = any_pair
    table(lab)
    with lab.replica.session() as session:
        protected = () if session.is_mariadb else ("SET GLOBAL super_read_only = OFF",)
    prepared(lab.replica, "INSERT INTO d.t (id) VALUES (9)", before=("SET sql_log_bin = 0", *protected))
    prepared(lab.source, "INSERT INTO d.t (id) VALUES (8)")
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
        ids = "SELECT id FROM d.t WHERE id > 3"
        waiting.until(lambda: session.rows(ids) == [("8",)], "the source's row has not come")
        waiting.until(lambda: not session.query(listing[0]), "the source's own is committed too")


def ended_on_the_replica(lab: Lab, here: str, there: str) -> Follower:
    table(lab)
    prepared(lab.source, *WRITES)
    lab.wait_until_applied()
    write_locally(lab.replica, f"XA {here} 'abc'", logged=False)
    with lab.source.session() as session:
        session.execute(f"XA {there} 'abc'")
        session.execute("INSERT INTO d.t VALUES (10, NULL)")
    assert wait_until_stopped(lab.replica).errno == 1397
    wait_until_received(lab.source, lab.replica)
    return Follower(lab)


@pytest.mark.parametrize(
    ("here", "there", "leads_to"),
    [
        ("ROLLBACK", "COMMIT", "carried-out"),
        ("COMMIT", "ROLLBACK", "carried-out"),
        ("COMMIT", "COMMIT", "left-out"),
        ("ROLLBACK", "ROLLBACK", "left-out"),
    ],
)
def test_what_was_ended_on_the_replica_is_brought_to_what_the_source_has(
    any_pair: Lab, here: str, there: str, leads_to: str
) -> None:
    """Its rows are in the source's transaction that prepared it. Times are those of a session in UTC."""
    follower = ended_on_the_replica(any_pair, here, there)
    said = follower.diagnose()["advice"]
    assert [remedy["leads_to"]["code"] for remedy in said] == [leads_to], said
    with elsewhere(any_pair.replica):
        followed = follower.follow()
    assert (followed.end, followed.remedies, followed.faults) == ("caught-up", 1, []), followed


def test_rows_that_were_changed_since_are_not_guessed(any_pair: Lab) -> None:
    """And what ends an XA transaction can be left out by name."""
    follower = ended_on_the_replica(any_pair, "ROLLBACK", "COMMIT")
    write_locally(any_pair.replica, "DELETE FROM d.t WHERE id = 2", logged=False)
    found = follower.diagnose()
    (remedy,) = found["advice"]
    assert remedy["sql"] == []
    assert "neither what they were before it nor what it makes of them" in remedy["text"]
    (skip,) = (strategy for strategy in found["strategies"] if strategy["name"] == "skip")
    assert skip["allowed"]
    assert skip["risks"][0].startswith("This statement is never run on the replica: XA COMMIT X'616263'")
