"""Transactions with which nothing is wrong: tried again, with no row changed, or the one in the way is named."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replfix.lab.proof import prove, snapshot
from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.running import replfix
from tests.waiting import until


@pytest.fixture
def waiting(pair: Lab) -> Iterator[Lab]:
    """A row that both servers have; the replica's applier gives up on a lock after a second."""
    with pair.replica.session() as session:
        for statement in (
            "STOP REPLICA",
            "SET GLOBAL innodb_lock_wait_timeout = 1",
            "SET GLOBAL replica_transaction_retries = 0",
            "START REPLICA",
        ):
            session.execute(statement)
    with pair.source.session() as session:
        for statement in (
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY, a INT)",
            "INSERT INTO d.t VALUES (1, 1)",
        ):
            session.execute(statement)
    pair.wait_until_applied()
    yield pair
    with pair.replica.session() as session:
        session.execute("SET GLOBAL innodb_lock_wait_timeout = DEFAULT")
        session.execute("SET GLOBAL replica_transaction_retries = DEFAULT")


def hold(session: Session) -> int:
    connection = int(str(session.scalar("SELECT CONNECTION_ID()")))
    session.execute("BEGIN")
    session.query("SELECT * FROM d.t FOR SHARE")
    return connection


def test_who_holds_the_lock_is_named_and_nothing_changed_until_it_is_gone(waiting: Lab) -> None:
    config = str(waiting.config_file)
    with waiting.replica.session() as holder:
        connection = hold(holder)
        with waiting.source.session() as source:
            source.execute("UPDATE d.t SET a = 2")
        assert wait_until_stopped(waiting.replica).errno == 1205
        before = snapshot(waiting.replica)

        ran = replfix("diagnose", "replica1", "--config", config, "--json")
        assert ran.code == 3
        error, advice = ran.document["error"], ran.document["advice"]
        assert (error["class"], error["name"]) == ("transient", "ER_LOCK_WAIT_TIMEOUT")
        assert advice[0]["sql"] == [f"KILL {connection}", "START REPLICA FOR CHANNEL ''"]
        assert "d.t" in advice[0]["text"]
        assert "SELECT * FROM d.t FOR SHARE" in advice[0]["text"]
        assert "lock-or-timeout" in error["page"]

        ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
        assert (ran.code, ran.document["outcome"]) == (4, "needs_human")
        assert f"Connection {connection} (admin@" in ran.document["message"]
        assert f"KILL {connection}" in ran.document["hint"]
        assert ran.document["rounds"] == []
        assert snapshot(waiting.replica) == before
        holder.execute("ROLLBACK")

    ran = replfix("diagnose", "replica1", "--config", config)
    assert "Nobody holds a lock" in ran.out
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved")
    assert [r["steps"] for r in ran.document["rounds"]] == [[]]
    assert ran.document["displaced_rows"] == 0
    waiting.wait_until_applied()
    assert not [p for p in prove(waiting.source, waiting.replica, before) if not p.holds]
    kinds = [r["kind"] for r in replfix("audit", "list", "--config", config, "--json").document["records"]]
    assert {"intent", "outcome", "refused"} <= set(kinds)


def test_an_applier_that_was_interrupted_is_started_again(waiting: Lab) -> None:
    """1317: somebody ended the statement of a worker."""
    config = str(waiting.config_file)
    with waiting.replica.session() as session:
        session.execute("SET GLOBAL innodb_lock_wait_timeout = 50")
        for statement in ("STOP REPLICA", "START REPLICA"):
            session.execute(statement)
    with waiting.replica.session() as holder:
        hold(holder)
        with waiting.source.session() as source:
            source.execute("UPDATE d.t SET a = 3")
        with waiting.replica.session() as session:
            busy = (
                "SELECT PROCESSLIST_ID AS id FROM performance_schema.threads "
                "WHERE NAME = 'thread/sql/replica_worker' AND PROCESSLIST_STATE LIKE 'Applying%'"
            )
            until(lambda: session.query(busy), "no worker is at it")
            session.execute(f"KILL QUERY {session.scalar(busy)}")
        assert wait_until_stopped(waiting.replica).errno == 1317
        holder.execute("ROLLBACK")
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.out
    waiting.wait_until_applied()
