"""Somebody stops the receiver of a channel before ``resolve``, mostly with STOP REPLICA: what every DBA types first. MariaDB in GTID mode
deletes its relay log when any thread is started while both are down; the row had been deleted and its transaction was gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from replfix.lab.flavours import speaking
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Row
from tests import waiting
from tests.integration.running import Ran, replfix
from tests.skipping import may_skip

ROWS = "SELECT id, v FROM d.t ORDER BY id"
SOURCE_WINS = [("1", "one"), ("3", "source"), ("4", "source")]
AFTER = {
    "source-wins": SOURCE_WINS,
    "keep-both": [*SOURCE_WINS, ("6", "local")],  # the rehearsal took 5
    "replica-wins": [("1", "one"), ("3", "local"), ("4", "source")],
    "skip": [("1", "one"), ("3", "local"), ("4", "source")],
}


def write(server: LabServer, *statements: str) -> None:
    """Rows as events: a server as it ships logs these as statements, of which no strategy knows the rows."""
    with server.session() as session:
        if session.is_mariadb:
            session.execute("SET SESSION binlog_format = ROW")
        for statement in statements:
            session.execute(statement)


def rows(server: LabServer) -> list[tuple[str, ...]]:
    with server.session() as session:
        return session.rows(ROWS)


def status(server: LabServer) -> Row:
    """With the words of either product."""
    with server.session() as session:
        row = session.query("SHOW REPLICA STATUS")[0]
    return {name.replace("Slave_", "Replica_").replace("Master_", "Source_"): value for name, value in row.items()}


def relay_logs(replica: LabServer) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(replica.data.glob("*relay-bin.0*"))}


def conflict(lab: Lab) -> None:
    """The replica has stopped on row 3, and has received what follows."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    write(
        lab.source,
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(20))",
        "INSERT INTO d.t VALUES (1, 'one')",
    )
    lab.wait_until_applied()
    write_locally(lab.replica, "INSERT INTO d.t VALUES (3, 'local')", logged=False)
    write(lab.source, "INSERT INTO d.t VALUES (3, 'source')", "INSERT INTO d.t VALUES (4, 'source')")
    wait_until_stopped(lab.replica)
    received(lab)


def received(lab: Lab) -> None:
    with lab.source.session() as session:
        last = session.query("SHOW BINARY LOGS")[-1]
    there = (last["Log_name"], last["File_size"])
    waiting.until(
        lambda: tuple(status(lab.replica)[name] for name in ("Source_Log_File", "Read_Source_Log_Pos")) == there,
        "the replica has not received all",
    )


def execute(server: LabServer, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def running(server: LabServer) -> tuple[str, str]:
    row = status(server)
    return row["Replica_IO_Running"], row["Replica_SQL_Running"]


def purge(source: LabServer) -> None:
    """Everything that the replica has not applied."""
    execute(source, "FLUSH BINARY LOGS")
    with source.session() as session:
        for (thread,) in session.rows(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'"
        ):
            session.execute(f"KILL {int(thread)}")
        last = session.query("SHOW BINARY LOGS")[-1]["Log_name"]

        def purged() -> bool:
            session.execute(f"PURGE BINARY LOGS TO '{last}'")
            return len(session.query("SHOW BINARY LOGS")) == 1

        waiting.until(purged, "the source does not purge its log")


def resolve(lab: Lab, *options: str) -> Ran:
    return replfix("resolve", "replica1", "--yes", "--config", str(lab.config_file), "--json", *options)


@pytest.mark.parametrize("strategy", AFTER)
def test_both_threads_were_stopped(as_shipped: Lab, strategy: str) -> None:
    """Repaired by every strategy, and the receiver is as it was: stopped."""
    lab = as_shipped
    conflict(lab)
    execute(lab.replica, "STOP REPLICA")
    with may_skip(lab.replica):
        ran = resolve(lab, "--strategy", strategy)
    assert ran.code == 3, ran.out + ran.err
    assert [round_["verified"] for round_ in ran.document["rounds"]] == [True]
    assert "The receiver of the channel is stopped" in ran.document["message"]
    assert rows(lab.replica) == AFTER[strategy]
    assert running(lab.replica) == ("No", "Yes")
    execute(lab.replica, "START REPLICA")
    lab.wait_until_applied()
    assert rows(lab.replica) == AFTER[strategy]
    if strategy != "skip":
        assert rows(lab.source) == AFTER[strategy]


@pytest.mark.parametrize("strategy", ["source-wins", "skip"])
def test_the_relay_log_is_the_only_copy(as_shipped: Lab, strategy: str) -> None:
    """The source has purged what was received: MariaDB would lose it, so nothing is done, and it is said how to keep it."""
    lab = as_shipped
    conflict(lab)
    execute(lab.replica, "STOP REPLICA")
    purge(lab.source)
    kept = relay_logs(lab.replica)
    with may_skip(lab.replica):
        ran = resolve(lab, "--strategy", strategy)
    if lab.provision.flavour.product == "MySQL":
        assert ran.code == 3, ran.out + ran.err
        assert rows(lab.replica) == AFTER[strategy]
        return
    assert ran.code == 4, ran.out + ran.err
    assert "deletes the relay log" in ran.document["message"]
    assert "only copy" in ran.document["message"]
    assert relay_logs(lab.replica) == kept
    assert rows(lab.replica) == [("1", "one"), ("3", "local")]
    if strategy != "source-wins":
        return
    (remedy,) = (
        each
        for each in replfix("diagnose", "replica1", "--config", str(lab.config_file), "--json").document["advice"]
        if each["sql"]
    )
    assert remedy["leads_to"]["code"] == "relay-log-kept"
    execute(lab.replica, *remedy["sql"])
    wait_until_stopped(lab.replica)
    assert {name: data[: len(kept[name])] for name, data in relay_logs(lab.replica).items()} == kept
    ran = resolve(lab)
    assert ran.code == 3, ran.out + ran.err
    assert rows(lab.replica) == SOURCE_WINS


def test_the_source_was_reset(as_shipped: Lab) -> None:
    """RESET on the source: it has nothing of what was received, and its receiver says so (1236)."""
    lab = as_shipped
    conflict(lab)
    with lab.source.session() as session:
        speaking(session).forget(session)
    write(lab.source, "INSERT INTO d.t VALUES (90, 'later')")
    execute(lab.replica, "STOP REPLICA IO_THREAD")
    kept = relay_logs(lab.replica)
    ran = resolve(lab)
    if lab.provision.flavour.product == "MySQL":
        assert ran.code in (3, 4), ran.out + ran.err
    else:
        assert ran.code == 4, ran.out + ran.err
        assert relay_logs(lab.replica) == kept
        assert rows(lab.replica) == [("1", "one"), ("3", "local")]


def test_the_source_is_gone(as_shipped: Lab, tmp_path: Path) -> None:
    """Both threads stopped and nobody to ask: nothing is started where the relay log would be deleted."""
    lab = as_shipped
    conflict(lab)
    execute(lab.replica, "STOP REPLICA")
    kept = relay_logs(lab.replica)
    config = tmp_path / "replfix.toml"
    config.write_text(lab.config_file.read_text().replace(f"port = {lab.source.port}", "port = 1"))
    ran = replfix("resolve", "replica1", "--yes", "--config", str(config), "--json")
    if lab.provision.flavour.product == "MySQL":
        assert ran.code == 3, ran.out + ran.err
        assert rows(lab.replica) == SOURCE_WINS
        return
    assert ran.code == 4, ran.out + ran.err
    assert "may be the only copy" in ran.document["message"]
    assert relay_logs(lab.replica) == kept
    assert rows(lab.replica) == [("1", "one"), ("3", "local")]


def test_an_applier_that_waits_while_nobody_can_connect(pair: Lab, tmp_path: Path) -> None:
    """A run was killed behind its repair, the channel was reset, and the source cannot be reached: ``recover`` says in seconds what the
    applier waits for, and does the rest when the source is back."""
    conflict(pair)
    command = ("resolve", "replica1", "--yes", "--config", str(pair.config_file), "--json")
    ran = replfix(*command, dying=(str(tmp_path / "points"), "answered COMMIT"))
    assert ran.code == -9, ran
    with pair.source.session() as session:
        uuid, last = session.query("SELECT @@server_uuid AS u, @@GLOBAL.gtid_executed AS g")[0].values()
    failing = f"{uuid}:{int(last.rpartition('-')[2]) - 1}"  # the last but one
    point = "CHANGE REPLICATION SOURCE TO SOURCE_PORT = {}"
    until = f"START REPLICA UNTIL SQL_AFTER_GTIDS = '{failing}'"
    execute(pair.replica, "STOP REPLICA", "RESET REPLICA", point.format(1), until)
    waiting.until(lambda: status(pair.replica)["Last_IO_Errno"] != "0", "the receiver has not noticed")
    recover = ("recover", "replica1", "--config", str(pair.config_file), "--json")
    ran = replfix(*recover)
    assert ran.code == 5, ran.out + ran.err
    assert "The applier waits" in ran.out
    assert "the receiver cannot connect to the source" in ran.out
    execute(pair.replica, "STOP REPLICA", point.format(pair.source.port), until)
    ran = replfix(*recover)
    assert ran.code == 0, ran.out + ran.err
    assert replfix(*command).code == 0
    pair.wait_until_applied()
    assert rows(pair.replica) == SOURCE_WINS
