"""A pair that replicates by file and position, four workers on: found, rehearsed, repaired and verified without a GTID."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from replfix.config import load
from replfix.core.plan.outcome import Result
from replfix.core.plan.staleness import staleness
from replfix.lab.flavours import speaking
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_stopped
from replfix.lab.topologies import no_gtid
from replfix.lab.topology import Lab
from replfix.tui.backend import WiredBackend
from tests.integration.running import replfix
from tests.waiting import until


@pytest.fixture(params=["OFF"])
def positioned(pair: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The pair without GTIDs (or in that gtid_mode), one table d.t on both, the channel running."""
    (pair.directory / "audit.db").unlink(missing_ok=True)
    no_gtid.connect(pair.source, pair.replica, request.param)
    try:
        write(pair.source, "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, k INT UNIQUE, v VARCHAR(40))")
        applied(pair)
        yield pair
    finally:
        no_gtid.undo(pair.source, pair.replica)


def write(server: LabServer, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def write_locally(server: LabServer, *statements: str) -> None:
    write(server, "SET sql_log_bin = 0", "SET GLOBAL super_read_only = OFF", *statements, "SET GLOBAL super_read_only = ON")  # fmt: skip


def applied(lab: Lab) -> None:
    """Wait until the replica is where the source's binlog ends."""
    with lab.source.session() as session:
        at = speaking(session).log_end(session)
    with lab.replica.session() as session:
        answer = session.scalar(f"SELECT SOURCE_POS_WAIT('{at.log_file}', {at.pos}, 20, '')")
    assert answer not in (None, "-1"), answer


def rows(server: LabServer) -> list[tuple[str, ...]]:
    with server.session() as session:
        return session.rows("SELECT id, k, v FROM d.t ORDER BY id")


def resolve(lab: Lab, *options: str) -> dict[str, object]:
    ran = replfix("resolve", "replica1", *options, "--config", str(lab.config_file), "--json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.document["outcome"] == "resolved"
    return ran.document


@contextmanager
def row_held(lab: Lab, *numbers: int) -> Iterator[None]:
    """The workers that come to these rows of the replica's wait, and the others go on without them."""
    with lab.replica.session() as session:
        session.execute("SET GLOBAL super_read_only = OFF")  # a lock for a write counts as one
        session.execute("BEGIN")
        for number in numbers:  # one by one: a range would lock the gap behind it too
            session.query(f"SELECT id FROM d.t WHERE id = {number} FOR UPDATE")
        yield
        session.execute("ROLLBACK")
        session.execute("SET GLOBAL super_read_only = ON")


def until_row(lab: Lab, number: int) -> None:
    row = f"SELECT 1 FROM d.t WHERE id = {number} AND v = 'source'"
    with lab.replica.session() as session:
        until(lambda: session.rows(row), f"the replica has not applied row {number}")


def held_back(lab: Lab, *statements: str) -> None:
    """Let the source write all of it before the replica's workers begin: they get it all at once."""
    write(lab.replica, "STOP REPLICA SQL_THREAD")
    write(lab.source, *statements)
    with lab.source.session() as session:
        at = speaking(session).log_end(session)

    def received() -> bool:
        with lab.replica.session() as session:
            status = session.query("SHOW REPLICA STATUS")[0]
        return (status["Source_Log_File"], int(status["Read_Source_Log_Pos"])) == (at.log_file, at.pos)

    until(received, "not all of it is received")
    write(lab.replica, "START REPLICA SQL_THREAD")


def test_from_status_to_a_running_channel(positioned: Lab) -> None:
    config = str(positioned.config_file)
    write_locally(positioned.replica, "INSERT INTO d.t VALUES (7, 70, 'local')")
    numbers = [f"INSERT INTO d.t VALUES ({n}, {n * 10}, 'source')" for n in range(1, 13)]
    # The failing one in the next file, a transaction of several rows behind it.
    held_back(positioned, *numbers[:5], "FLUSH BINARY LOGS", *numbers[5:], "UPDATE d.t SET v = CONCAT(v, '!')")
    wait_until_stopped(positioned.replica)

    ran = replfix("status", "--config", config, "--json")
    assert ran.code == 3
    assert ran.document["replicas"][0]["channels"][0]["error"]["errno"] == 1062
    assert ran.document["replicas"][0]["channels"][0]["errant_gtid_set"] is None, "nobody knows without GTIDs"
    ran = replfix("diagnose", "replica1", "--config", config, "--json")
    assert ran.code == 3, ran.err
    diagnosis = ran.document
    transaction = diagnosis["transaction"]
    assert transaction["gtid"] is None
    assert transaction["log_file"].endswith(".000002")
    assert [c["incoming"]["id"] for c in diagnosis["conflicts"]] == [7]
    assert diagnosis["conflicts"][0]["replica_row"]["v"] == "local"
    assert diagnosis["strategies"][0]["allowed"], diagnosis["strategies"]
    before = rows(positioned.replica)
    ran = replfix("resolve", "replica1", "--dry-run", "--config", config, "--json")
    assert ran.document["rounds"][0]["rehearsed"], ran.err
    assert rows(positioned.replica) == before

    document = resolve(positioned, "--yes")
    assert document["displaced_rows"] == 1
    applied(positioned)
    assert rows(positioned.replica) == rows(positioned.source)
    assert replfix("status", "--config", config).code == 0
    assert replfix("doctor", "replica1", "--config", config).code in (0, 3, 4)


def test_who_wrote_a_row_is_told_by_the_servers_own_number(positioned: Lab) -> None:
    replica = positioned.replica
    write(replica, "SET GLOBAL super_read_only = OFF", "INSERT INTO d.t VALUES (4, 4, 'by hand')", "FLUSH BINARY LOGS",
          "CREATE TABLE d.own (id INT PRIMARY KEY)", "INSERT INTO d.own VALUES (1)", "SET GLOBAL super_read_only = ON")  # fmt: skip
    held_back(positioned, *(f"INSERT INTO d.t VALUES ({n}, {n}, 'source')" for n in range(1, 6)))
    wait_until_stopped(replica)
    ran = replfix("diagnose", "replica1", "--config", str(positioned.config_file), "--json")
    cause = ran.document["causes"][0]
    assert (cause["code"], cause["confidence"]) == ("local-write", "high"), ran.document["causes"]
    assert "own server_id" in cause["evidence"][0]


def test_an_account_that_may_read_no_more_than_the_status(positioned: Lab) -> None:
    replica = positioned.replica
    write_locally(
        replica,
        "CREATE USER 'watcher'@'%' IDENTIFIED BY 'w'",
        "GRANT REPLICATION CLIENT ON *.* TO 'watcher'@'%'",
        "GRANT SELECT ON performance_schema.* TO 'watcher'@'%'",
        "INSERT INTO d.t VALUES (2, 2, 'local')",
    )
    held_back(positioned, "INSERT INTO d.t VALUES (2, 2, 'source')")
    wait_until_stopped(replica)
    ran = replfix("status", "--replica", f"mysql://watcher:w@{replica.host}:{replica.port}", "--json")
    assert ran.code == 3, ran.err
    assert ran.document["replicas"][0]["channels"][0]["error"]["errno"] == 1062


def test_a_plan_that_was_shown_is_carried_out(positioned: Lab) -> None:
    """As the terminal UI does it: one diagnosis, one plan, rehearsed and then carried out."""
    write_locally(positioned.replica, "INSERT INTO d.t VALUES (2, 2, 'local')")
    held_back(positioned, *(f"INSERT INTO d.t VALUES ({n}, {n}, 'source')" for n in range(1, 5)))
    wait_until_stopped(positioned.replica)
    config = load(str(positioned.config_file))
    backend = WiredBackend(config, config.targets(), lambda _: None)
    try:
        diagnosis = backend.investigate("replica1", None, print)
        assert diagnosis is not None
        proposal = diagnosis.proposal("source-wins")
        assert proposal is not None
        assert proposal.plan is not None
        assert staleness(proposal.plan, backend.poll("replica1")) == ""
        assert backend.rehearse("replica1", proposal.plan, print).rounds[0].rehearsed
        outcome = backend.carry_out("replica1", proposal.plan, print)
        assert outcome.result is Result.RESOLVED, outcome
        assert "applied" in staleness(proposal.plan, backend.poll("replica1")) or backend.poll("replica1").applying("")
    finally:
        backend.close()
    applied(positioned)
    assert rows(positioned.replica) == rows(positioned.source)


def test_several_failing_transactions_one_after_the_other(positioned: Lab) -> None:
    write_locally(positioned.replica, "INSERT INTO d.t VALUES (2, 2, 'local'), (5, 9, 'local'), (8, 8, 'local')")
    held_back(positioned, *(f"INSERT INTO d.t VALUES ({n}, {n}, 'source')" for n in range(1, 11)))
    wait_until_stopped(positioned.replica)
    document = resolve(positioned, "--yes")
    assert document["displaced_rows"] == 3
    assert sum(done["transactions"] for done in document["rounds"]) >= 3  # type: ignore[attr-defined]
    applied(positioned)
    assert rows(positioned.replica) == rows(positioned.source)


def test_a_row_of_the_source_in_the_way_gets_the_state_that_it_had_then(positioned: Lab) -> None:
    """On k the incoming row 3 meets the replica's row 1, which the source has too, and changes later."""
    write(positioned.source, "INSERT INTO d.t VALUES (1, 1, 'one'), (2, 2, 'two')")
    applied(positioned)
    write_locally(positioned.replica, "UPDATE d.t SET k = 30 WHERE id = 1")
    held_back(positioned, "INSERT INTO d.t VALUES (3, 30, 'three')", "UPDATE d.t SET v = 'uno' WHERE id = 1")
    wait_until_stopped(positioned.replica)
    resolve(positioned, "--yes")
    applied(positioned)
    assert rows(positioned.replica) == rows(positioned.source)


@pytest.mark.parametrize("positioned", ["OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"], indirect=True)
def test_on_the_way_to_gtids_and_with_gtids_but_by_position(positioned: Lab) -> None:
    with positioned.source.session() as session:
        mode = session.scalar("SELECT @@global.gtid_mode")
    write_locally(positioned.replica, "INSERT INTO d.t VALUES (2, 2, 'local'), (4, 4, 'local')")
    held_back(positioned, *(f"INSERT INTO d.t VALUES ({n}, {n}, 'source')" for n in range(1, 7)))
    wait_until_stopped(positioned.replica)
    ran = replfix("diagnose", "replica1", "--config", str(positioned.config_file), "--json")
    assert ran.document["transaction"] is not None, ran.document["unknowns"]
    assert (ran.document["transaction"]["gtid"] is None) == (mode == "OFF_PERMISSIVE")
    resolve(positioned, "--yes")
    applied(positioned)
    assert rows(positioned.replica) == rows(positioned.source)


@pytest.fixture
def unordered(positioned: Lab) -> Iterator[Lab]:
    write(positioned.replica, "STOP REPLICA SQL_THREAD", "SET GLOBAL replica_preserve_commit_order = OFF")
    yield positioned
    write(positioned.replica, "STOP REPLICA", "SET GLOBAL replica_preserve_commit_order = ON")


def commit_ahead(lab: Lab, *local: int) -> None:
    """Ten transactions; those about rows that the replica holds too fail when all others are committed."""
    write_locally(lab.replica, *(f"INSERT INTO d.t VALUES ({n}, {n}, 'local')" for n in local))
    with row_held(lab, *local):
        held_back(lab, *(f"INSERT INTO d.t VALUES ({n}, {n}, 'source')" for n in range(1, 11)))
        until_row(lab, max(local) + 1)
        until_row(lab, 10)
    wait_until_stopped(lab.replica)


def test_workers_that_committed_ahead(unordered: Lab) -> None:
    """replica_preserve_commit_order=OFF: what follows is committed when 3 fails, and is not applied twice."""
    commit_ahead(unordered, 3)
    document = resolve(unordered, "--yes")
    assert len(document["rounds"]) == 1  # type: ignore[arg-type]
    write(unordered.source, "INSERT INTO d.t VALUES (11, 11, 'source')")
    applied(unordered)
    assert rows(unordered.replica) == rows(unordered.source)


def test_what_a_replica_would_not_survive_is_refused(unordered: Lab) -> None:
    """With two failing in the gaps, 9.7.4 loses track after the first: it would leave transactions out."""
    config = str(unordered.config_file)
    commit_ahead(unordered, 3, 4)
    before = rows(unordered.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert ran.code == 4, ran.out
    assert "would fail too" in ran.document["message"]
    assert "CHANGE REPLICATION SOURCE" in ran.document["message"]
    assert rows(unordered.replica) == before

    # Somebody repairs 3 by hand and starts the channel: it fails on 4, and has lost track.
    write_locally(unordered.replica, "DELETE FROM d.t WHERE id = 3")
    write(unordered.replica, "START REPLICA SQL_THREAD")
    time.sleep(0.5)
    wait_until_stopped(unordered.replica)
    ran = replfix("resolve", "replica1", "--yes", "--config", config, "--json")
    assert ran.code == 4, ran.out
    assert "has failed once more" in ran.document["message"]
    # What the words say helps.
    with unordered.replica.session() as session:
        at = session.query("SHOW REPLICA STATUS")[0]
    write(
        unordered.replica,
        "STOP REPLICA",
        "RESET REPLICA",
        f"CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE = '{at['Relay_Source_Log_File']}', "
        f"SOURCE_LOG_POS = {at['Exec_Source_Log_Pos']}",
        "SET GLOBAL replica_preserve_commit_order = ON",
        "START REPLICA",
    )
    wait_until_stopped(unordered.replica)
    resolve(unordered, "--yes", "--max-rounds", "20")
    applied(unordered)
    assert rows(unordered.replica) == rows(unordered.source)


def test_the_outcome_of_what_no_applier_takes_is_printed_to_be_carried_out_by_hand(positioned: Lab) -> None:
    """The statements that are printed, run in one session, and the skip counter."""
    lab = positioned
    write(lab.source, "CREATE TABLE d.bag (a INT NULL UNIQUE, b INT)", "INSERT INTO d.bag VALUES (5, 1), (9, 9)")
    applied(lab)
    write(lab.source, "INSERT INTO d.bag VALUES (5, 2), (4, 3) ON DUPLICATE KEY UPDATE a = a - 1")
    wait_until_stopped(lab.replica)
    shown = replfix("diagnose", "replica1", "--config", str(lab.config_file), "--json").document
    assert [strategy["allowed"] for strategy in shown["strategies"]] == [False, False, False, True]
    assert "only on MySQL, where the transaction has a GTID" in shown["strategies"][0]["reason"]
    (remedy,) = shown["advice"]
    assert (remedy["where"], remedy["leads_to"]["code"]) == ("replica", "carried-out")
    write(lab.replica, *remedy["sql"])
    write(lab.source, "INSERT INTO d.bag VALUES (7, 7)")
    applied(lab)
    for server in (lab.source, lab.replica):
        with server.session() as session:
            assert session.rows("SELECT a, b FROM d.bag ORDER BY a") == [("3", "1"), ("7", "7"), ("9", "9")]
    with lab.replica.session() as session:
        assert session.scalar("SELECT @@super_read_only") == "1"
