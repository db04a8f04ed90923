"""What stops a repair: refusals, a world that changed, a second operator, an interrupt, a kill. Nothing half done."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from replfix.config import load
from replfix.core.diagnosis.diagnosis import Diagnosis
from replfix.core.plan.outcome import Outcome
from replfix.core.plan.plan import Plan
from replfix.errors import Busy, Stale
from replfix.lab import scenarios
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.proof import snapshot
from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from replfix.wiring import servers, trails
from replfix.workflow.resolution import resolve
from tests.integration.running import environment, replfix
from tests.waiting import until


@pytest.fixture
def stopped(pair: Lab) -> Lab:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-primary").stage(pair)
    return pair


def resolving(lab: Lab, confirm: Callable[[Diagnosis, Plan], bool]) -> Outcome:
    config = load(str(lab.config_file))
    with servers.TargetConnections(config.target("replica1")) as wired:
        trail = trails.open_trail(config)
        try:
            return resolve(
                trails.operation(wired, trail, lambda _: None),
                strategy="source-wins",
                channel=None,
                max_rounds=5,
                dry_run=False,
                confirm=confirm,
            )
        finally:
            trail.close()


def test_output_that_goes_nowhere_ends_no_repair(stopped: Lab) -> None:
    line = (
        f"{shlex.quote(sys.executable)} -m replfix resolve replica1 --yes --config '{stopped.config_file}' >/dev/full"
    )
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, env=environment())
    assert ran.returncode == 5, ran.stderr
    assert "Next:  What was done is done, and on record: 'replfix audit list'" in ran.stderr
    stopped.wait_until_applied()
    records = replfix("audit", "list", "--config", str(stopped.config_file), "--json").document["records"]
    assert "outcome" in [record["kind"] for record in records]


def test_what_is_verified_is_no_failure_when_the_next_transaction_waits(pair: Lab) -> None:
    scenarios.find("two-in-a-row").stage(pair)
    resolving = (
        "resolve",
        "replica1",
        "--yes",
        "--no-ahead",
        "--max-rounds",
        "1",
        "--config",
        str(pair.config_file),
        "--json",
    )
    first, second = replfix(*resolving), replfix(*resolving)
    assert (first.code, first.document["outcome"]) == (3, "needs_human")
    assert all(done["verified"] for done in first.document["rounds"])
    assert (second.code, second.document["outcome"]) == (0, "resolved")


@contextmanager
def writing_on_the_replica(lab: Lab) -> Iterator[Session]:
    with lab.replica.session() as session:
        session.execute("SET sql_log_bin = 0")
        session.execute("SET GLOBAL super_read_only = OFF")
        try:
            yield session
        finally:
            session.execute("SET GLOBAL super_read_only = ON")


def test_a_channel_that_somebody_else_repaired_and_started(stopped: Lab) -> None:
    def repair(*_: object) -> bool:
        with writing_on_the_replica(stopped) as session:
            session.execute("DELETE FROM shop.orders WHERE id = 5")
            session.execute("START REPLICA SQL_THREAD")
        stopped.wait_until_applied()
        return True

    with pytest.raises(Stale, match="the channel runs now"):
        resolving(stopped, repair)


def test_a_second_operator_is_turned_away(stopped: Lab) -> None:
    before = snapshot(stopped.replica)
    with stopped.replica.session() as other:
        assert other.scalar("SELECT GET_LOCK('replfix:', 0)") == "1"
        with pytest.raises(Busy):
            resolving(stopped, lambda *_: True)
        ran = replfix("resolve", "replica1", "--yes", "--config", str(stopped.config_file))
        assert ran.code == 4
        assert "Another replfix" in ran.err
    assert snapshot(stopped.replica) == before


def test_a_second_operator_while_the_first_one_lets_a_transaction_be_applied(pair: Lab) -> None:
    """The channel is stopped without an error then, as it is when somebody stopped it by hand."""
    with pair.replica.session(REPLFIX) as other:
        other.execute("STOP REPLICA SQL_THREAD")
        assert other.scalar("SELECT GET_LOCK('replfix:', 0)") == "1"
        mine = other.scalar("SELECT CONNECTION_ID()")
        ran = replfix("resolve", "replica1", "--yes", "--config", str(pair.config_file))
        assert ran.code == 4
        assert f"its connection there is {mine}, {REPLFIX.name}@127.0.0.1:" in ran.err
        other.execute("DO RELEASE_LOCK('replfix:')")
        ran = replfix("resolve", "replica1", "--yes", "--config", str(pair.config_file))
        assert "somebody stopped it" in ran.out


def test_without_a_terminal_and_without_yes_it_refuses(stopped: Lab) -> None:
    before = snapshot(stopped.replica)
    ran = replfix("resolve", "replica1", "--config", str(stopped.config_file))
    assert ran.code == 4
    assert "--yes" in ran.err
    assert snapshot(stopped.replica) == before


def test_an_engine_without_transactions_is_refused(pair: Lab) -> None:
    with pair.source.session() as session:
        session.execute("CREATE DATABASE shop")
        session.execute("CREATE TABLE shop.plain (id INT NOT NULL PRIMARY KEY, name VARCHAR(20)) ENGINE = MyISAM")
    pair.wait_until_applied()
    with writing_on_the_replica(pair) as session:
        session.execute("INSERT INTO shop.plain VALUES (1, 'local')")
    with pair.source.session() as session:
        session.execute("INSERT INTO shop.plain VALUES (1, 'source')")
    wait_until_stopped(pair.replica)
    before = snapshot(pair.replica)
    ran = replfix("diagnose", "replica1", "--config", str(pair.config_file), "--json")
    strategy = ran.document["strategies"][0]
    assert not strategy["allowed"]
    assert "rolled back" in strategy["reason"]
    ran = replfix("resolve", "replica1", "--yes", "--config", str(pair.config_file), "--json")
    assert (ran.code, ran.document["outcome"]) == (4, "needs_human")
    assert "rolled back" in ran.document["message"]
    assert snapshot(pair.replica) == before


def test_a_repair_fires_no_trigger(stopped: Lab) -> None:
    with writing_on_the_replica(stopped) as session:
        session.execute("CREATE TABLE shop.log (n INT AUTO_INCREMENT PRIMARY KEY, what TEXT)")
        for event in ("INSERT", "UPDATE", "DELETE"):
            session.execute(
                f"CREATE TRIGGER shop.on_{event} AFTER {event} ON shop.orders FOR EACH ROW "
                f"INSERT INTO shop.log (what) VALUES ('{event}')"
            )
    ran = replfix("resolve", "replica1", "--yes", "--config", str(stopped.config_file), "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.err
    assert ran.document["displaced_rows"] == 1
    with stopped.replica.session() as session:
        assert session.rows("SELECT * FROM shop.log") == []


def test_an_account_that_cannot_see_triggers_is_not_trusted_with_a_repair(stopped: Lab) -> None:
    with stopped.replica.session() as session:
        session.execute("SET sql_log_bin = 0")
        session.execute("SET GLOBAL super_read_only = OFF")
        session.execute("REVOKE TRIGGER ON *.* FROM 'replfix'@'%'")
        session.execute("SET GLOBAL super_read_only = ON")
    try:
        ran = replfix("diagnose", "replica1", "--config", str(stopped.config_file), "--json")
        assert not ran.document["strategies"][0]["allowed"]
        assert "TRIGGER" in ran.document["strategies"][0]["reason"]
    finally:
        with stopped.replica.session() as session:
            session.execute("SET sql_log_bin = 0")
            session.execute("SET GLOBAL super_read_only = OFF")
            session.execute("GRANT TRIGGER ON *.* TO 'replfix'@'%'")
            session.execute("SET GLOBAL super_read_only = ON")


@contextmanager
def resolving_while_blocked(lab: Lab) -> Iterator[subprocess.Popen[str]]:
    """replfix in a process of its own, held up in its rehearsal by a row lock of ours, super_read_only switched off."""
    with lab.replica.session() as blocker:
        blocker.execute("BEGIN")
        blocker.query("SELECT * FROM shop.orders WHERE id = 5 FOR SHARE")
        process = subprocess.Popen(
            [sys.executable, "-m", "replfix", "resolve", "replica1", "--yes", "--config", str(lab.config_file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        try:
            with lab.replica.session() as look:
                held_up = "SELECT COUNT(*) FROM performance_schema.data_lock_waits"
                until(lambda: look.scalar(held_up) != "0", "replfix never came to its rehearsal")
            yield process
            blocker.execute("ROLLBACK")
        finally:
            process.kill()
            process.communicate()


def super_read_only(lab: Lab) -> str:
    with lab.replica.session() as session:
        return str(session.scalar("SELECT @@global.super_read_only"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_everything_as_it_was(stopped: Lab, number: int) -> None:
    before = snapshot(stopped.replica)
    with resolving_while_blocked(stopped) as process:
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130, err
        assert "Traceback" not in err
    assert snapshot(stopped.replica) == before


def test_after_kill_9_the_next_run_puts_settings_back_first(stopped: Lab) -> None:
    with resolving_while_blocked(stopped) as process:
        process.kill()
        process.wait()
    assert super_read_only(stopped) == "0", "the test is about a process that had no time to put it back"
    for _ in range(100):  # until the server has noticed that the killed client is gone, and lets go of its lock
        ran = replfix("resolve", "replica1", "--yes", "--config", str(stopped.config_file), "--json")
        if ran.code != 4:
            break
        time.sleep(0.1)
    assert (ran.code, ran.document["outcome"]) == (0, "resolved")
    assert super_read_only(stopped) == "1"
    assert replfix("audit", "verify", "--config", str(stopped.config_file)).code == 0


def test_a_trail_that_cannot_be_written_means_that_nothing_is(stopped: Lab) -> None:
    (stopped.directory / "audit.db").mkdir()
    try:
        before = snapshot(stopped.replica)
        ran = replfix("resolve", "replica1", "--yes", "--config", str(stopped.config_file))
        assert ran.code == 4
        assert "audit" in ran.err
        assert snapshot(stopped.replica) == before
    finally:
        (stopped.directory / "audit.db").rmdir()
