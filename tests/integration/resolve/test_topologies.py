"""A replica of two sources, and a replica that is a source itself, on three real servers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import tests.waiting as waiting
from replfix.lab import topology
from replfix.lab.lab_accounts import REPLFIX
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import executed
from replfix.lab.topologies import chain, multi_source
from replfix.lab.topologies.wiring import disconnect, follow, protect
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Row
from tests.integration.running import replfix

pytestmark = pytest.mark.servers

WEST = "we'st `side\" %"
"""Channel names are the operator's words: quoted everywhere or nowhere."""


@pytest.fixture(scope="module")
def trio(lab_state: Path) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        try:
            yield topology.up("trio", 2)
        finally:
            topology.down("trio")


def configuration(trio: Lab, tmp_path: Path, *replicas: LabServer) -> str:
    """Addresses and accounts only: which server is the source of what has to be found."""
    options, config = tmp_path / "my.cnf", tmp_path / "replfix.toml"
    options.write_text(f"[client]\nuser={REPLFIX.name}\npassword={REPLFIX.password}\n")
    options.chmod(0o600)
    lines = ["[defaults]", 'defaults_file = "my.cnf"', "[audit]", f'url = "sqlite:///{tmp_path}/audit.db"']
    for server in trio.servers:
        kind = "replicas" if server in replicas else "sources"
        lines += [f"[{kind}.{server.name}]", f'host = "{server.host}"', f"port = {server.port}"]
    config.write_text("\n".join(lines))
    return str(config)


def until(replica: LabServer, channel: str, running: bool) -> Row:
    """The channel's status as soon as its applier runs and has nothing left to do, or is stopped."""
    for _ in range(1800):
        with replica.session() as session:
            row = status_of(replica, channel)
            errors = session.rows("SELECT 1 FROM performance_schema.replication_applier_status_by_worker "
                                  f"WHERE LAST_ERROR_NUMBER NOT IN (0, 1756, 3030) AND CHANNEL_NAME = {quoted(channel)}")  # fmt: skip
        caught_up = row["Source_Log_File"] == row["Relay_Source_Log_File"] and (
            row["Read_Source_Log_Pos"] == row["Exec_Source_Log_Pos"]
        )
        if (row["Replica_SQL_Running"] == "Yes") == running and (caught_up if running else errors):
            return row
        time.sleep(0.05)
    pytest.fail(f"the channel {channel!r} is not {'running' if running else 'stopped'}: {row}")


def holds(server: LabServer, rows: int) -> None:
    """Wait until it has so many rows."""
    with server.session() as session:
        waiting.until(lambda: session.scalar("SELECT COUNT(*) FROM d.t") == str(rows), f"{rows} rows are not there")


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def status_of(replica: LabServer, channel: str) -> Row:
    with replica.session() as session:
        return session.query(f"SHOW REPLICA STATUS FOR CHANNEL {quoted(channel)}")[0]


def write(server: LabServer, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def write_locally(server: LabServer, statement: str) -> None:
    write(server, "SET GLOBAL super_read_only = OFF", statement, "SET GLOBAL super_read_only = ON")


@pytest.fixture
def two_sources(trio: Lab) -> Lab:
    """Channels 'east' and WEST, each with a schema of its own in which the replica holds a local row 2."""
    east, west, replica = trio.servers
    multi_source.connect({"east": east, WEST: west}, replica)
    for server, schema in ((east, "e"), (west, "w")):
        write(server, f"CREATE DATABASE {schema}", f"CREATE TABLE {schema}.t (id INT PRIMARY KEY, v VARCHAR(20))")
    until(replica, "east", True)
    until(replica, WEST, True)
    return trio


@contextmanager
def busy(server: LabServer) -> Iterator[list[int]]:
    """Transactions on a server, one after the other, for as long as the block takes; yields their numbers."""
    done: list[int] = []
    stop = threading.Event()

    def work() -> None:
        with server.session() as session:
            while not stop.is_set():
                session.execute(f"INSERT INTO e.t VALUES ({1000 + len(done)}, 'busy')")
                done.append(1000 + len(done))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join()


def test_one_of_two_channels_is_resolved_and_the_other_runs_on(two_sources: Lab, tmp_path: Path) -> None:
    east, west, replica = two_sources.servers
    write_locally(replica, "INSERT INTO w.t VALUES (2, 'local')")
    write(west, "INSERT INTO w.t VALUES (2, 'west')")
    until(replica, WEST, False)
    config = configuration(two_sources, tmp_path, replica)
    threads = "SELECT CHANNEL_NAME, THREAD_ID FROM performance_schema.replication_applier_status_by_coordinator WHERE CHANNEL_NAME = 'east' UNION ALL SELECT CHANNEL_NAME, THREAD_ID FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = 'east'"
    with replica.session() as session:
        before = session.rows(threads)
    settings = ("Source_Port", "Auto_Position", "Connect_Retry", "SQL_Delay", "Channel_Name", "Source_Host")
    east_before = status_of(replica, "east")

    with busy(east) as numbers:
        ran = replfix("resolve", replica.name, "--channel", WEST, "--yes", "--config", config, "--json")
    assert ran.code == 0, ran.out + ran.err
    assert ran.document["outcome"] == "resolved"
    assert len(numbers) > 20, "the other source was to be at work all the time"

    until(replica, WEST, True)
    until(replica, "east", True)
    with replica.session() as session:
        assert session.rows(threads) == before, "the threads of the other channel were stopped or started"
        assert session.scalar("SELECT COUNT(*) FROM e.t") == str(len(numbers))
        assert session.scalar("SELECT v FROM w.t WHERE id = 2") == "west"
        assert session.scalar("SELECT @@global.super_read_only") == "1"
    east_after = status_of(replica, "east")
    assert [east_after[s] for s in settings] == [east_before[s] for s in settings]


def test_a_row_that_the_other_source_wrote_is_named_and_nobody_is_led_to_delete_it(
    two_sources: Lab, tmp_path: Path
) -> None:
    east, west, replica = two_sources.servers
    write(west, "SET sql_log_bin = 0", "CREATE DATABASE e", "CREATE TABLE e.t (id INT PRIMARY KEY, v VARCHAR(20))",
          "SET sql_log_bin = 1", "INSERT INTO e.t VALUES (7, 'west')")  # fmt: skip
    until(replica, WEST, True)
    write(east, "INSERT INTO e.t VALUES (7, 'east')")
    until(replica, "east", False)
    config = configuration(two_sources, tmp_path, replica)
    ran = replfix("diagnose", replica.name, "--channel", "east", "--config", config, "--json")
    assert [(c["code"], c["confidence"]) for c in ran.document["causes"]] == [("other-channel", "high")], ran.out
    assert f"{west.host}:{west.port}" in ran.document["causes"][0]["evidence"][0]
    (risk,) = [r for r in ran.document["strategies"][0]["risks"] if f"{west.host}:{west.port}" in r]
    assert "a later change of it there changes this source's row here, without an error" in risk
    text = replfix("diagnose", replica.name, "--channel", "east", "--config", config).out
    assert "No option is recommended: a row of another source conflicts." in text
    assert "(recommended)" not in text
    assert replfix("resolve", replica.name, "--channel", "east", "--yes", "--config", config).code == 0
    write(west, "UPDATE e.t SET v = 'west again' WHERE id = 7")
    with replica.session() as session:  # as docs/causes/other-channel.md warns
        select = "SELECT v FROM e.t WHERE id = 7"
        waiting.until(lambda: session.scalar(select) == "west again", "west's change did not reach east's row")
    until(replica, WEST, True)


def test_both_channels_stopped_are_resolved_in_turn(two_sources: Lab, tmp_path: Path) -> None:
    east, west, replica = two_sources.servers
    write_locally(replica, "INSERT INTO w.t VALUES (2, 'local')")
    write_locally(replica, "INSERT INTO e.t VALUES (2, 'local')")
    write(west, "INSERT INTO w.t VALUES (2, 'west')")
    write(east, "INSERT INTO e.t VALUES (2, 'east')")
    until(replica, WEST, False)
    until(replica, "east", False)
    config = configuration(two_sources, tmp_path, replica)

    ran = replfix("status", "--config", config, "--json")
    own = status_of(replica, "east")["Source_UUID"], status_of(replica, WEST)["Source_UUID"]
    for channel in ran.document["replicas"][0]["channels"]:
        assert channel["error"]["errno"] == 1062
        assert channel["errant_gtid_set"].endswith(":1-2"), "the two local writes, and nothing of the other source"
        assert not any(uuid in channel["errant_gtid_set"] for uuid in own)
    for name in ("east", WEST):
        ran = replfix("diagnose", replica.name, "--channel", name, "--config", config, "--json")
        assert (ran.document["channel"], ran.document["error"]["errno"]) == (name, 1062)
        assert ran.document["causes"][0]["code"] == "local-write"
        assert ran.document["errant"]["gtid_set"] == channel["errant_gtid_set"]
        assert [one["changes"][0]["schema"] for one in ran.document["errant"]["transactions"]] == ["e", "w"]

    ran = replfix("resolve", replica.name, "--channel", "east", "--dry-run", "--config", config, "--json")
    assert ran.document["rounds"][0]["rehearsed"]
    ran = replfix("resolve", replica.name, "--yes", "--config", config, "--json")
    assert ran.code == 0, ran.out + ran.err
    assert len(ran.document["rounds"]) == 2
    for name in ("east", WEST):
        until(replica, name, True)
    assert replfix("status", "--config", config).code == 0


def test_a_source_that_is_given_is_used_for_its_own_channel_only(two_sources: Lab, tmp_path: Path) -> None:
    east, west, replica = two_sources.servers
    write_locally(replica, "INSERT INTO w.t VALUES (2, 'local')")
    write(west, "INSERT INTO w.t VALUES (2, 'west')")
    until(replica, WEST, False)
    config = configuration(two_sources, tmp_path, replica)
    ran = replfix("diagnose", replica.name, "--source", east.url(REPLFIX), "--config", config, "--json")
    assert ran.document["transaction"] is not None, ran.out
    assert not any("not the replica's source" in unknown for unknown in ran.document["unknowns"])
    ran = replfix("diagnose", replica.name, "--source", replica.url(REPLFIX), "--config", config)
    assert ran.code == 2
    assert "--channel" in ran.err
    path = Path(config)
    path.write_text(path.read_text() + f"\n[replicas.{replica.name}.sources]\neast = '{west.url(REPLFIX)}'\n")
    ran = replfix("diagnose", replica.name, "--channel", WEST, "--config", config, "--json")
    assert not any("not the replica's source" in unknown for unknown in ran.document["unknowns"])


def test_another_replica_stands_in_for_the_source(trio: Lab, tmp_path: Path) -> None:
    """As after a failover: the transaction is found by its GTID in the log of a server that has it too."""
    first, second, third = trio.servers
    disconnect((third, second, first))
    for replica in (second, third):
        follow(replica, first)
        protect(replica)
    write(first, "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20))")
    until(third, "", True)
    write(third, "SET sql_log_bin = 0", "SET GLOBAL super_read_only = OFF", "INSERT INTO d.t VALUES (5, 'local')",
          "SET GLOBAL super_read_only = ON")  # fmt: skip
    write(first, "INSERT INTO d.t VALUES (5, 'source')")
    until(third, "", False)
    until(second, "", True)
    given: tuple[str, ...] = (
        third.name,
        "--source",
        second.url(REPLFIX),
        "--config",
        configuration(trio, tmp_path, third),
        "--json",
    )
    ran = replfix("diagnose", *given)
    (uuid,) = {line for line in ran.document["unknowns"] if "it is not asked in the source's place" in line}
    with second.session() as session:
        given = (*given, "--source-uuid", str(session.scalar("SELECT @@global.server_uuid")))
    assert given[-1] in uuid
    ran = replfix("diagnose", *given)
    assert any("not the replica's source" in unknown for unknown in ran.document["unknowns"])
    assert ran.document["conflicts"][0]["source_row"]["v"] == "source"
    ran = replfix("resolve", *given, "--yes")
    assert ran.document["outcome"] == "resolved", ran.out + ran.err
    with third.session() as session:
        assert session.rows("SELECT id, v FROM d.t") == [("5", "source")]


def test_in_a_chain_each_replica_keeps_its_own_conflict(trio: Lab, tmp_path: Path) -> None:
    first, middle, last = trio.servers
    chain.connect((first, middle, last))
    write(first, "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20))")
    until(middle, "", True)
    write_locally(middle, "INSERT INTO d.t VALUES (5, 'local')")
    write(first, "INSERT INTO d.t VALUES (5, 'source')")
    until(middle, "", False)
    holds(last, 1)
    config = configuration(trio, tmp_path, middle, last)

    ran = replfix("diagnose", middle.name, "--config", config, "--json")
    assert any(f"{last.host}:{last.port}" in risk for risk in ran.document["strategies"][0]["risks"]), ran.out
    ran = replfix("resolve", middle.name, "--yes", "--config", config, "--json")
    assert ran.document["outcome"] == "resolved", ran.out
    until(last, "", False)
    assert replfix("status", "--config", config).code == 3
    ran = replfix("resolve", last.name, "--yes", "--config", config, "--json")
    assert ran.document["outcome"] == "resolved", ran.out
    for server in trio.servers:
        with server.session() as session:
            assert session.rows("SELECT id, v FROM d.t") == [("5", "source")]


def test_what_is_carried_out_in_the_appliers_place_reaches_the_replica_below(trio: Lab, tmp_path: Path) -> None:
    first, middle, last = trio.servers
    chain.connect((first, middle, last))
    write(
        first,
        "CREATE DATABASE d",
        "CREATE TABLE d.p (id INT PRIMARY KEY)",
        "CREATE TABLE d.t (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES d.p (id) ON DELETE CASCADE)",
        "INSERT INTO d.p VALUES (1), (2)",
        "INSERT INTO d.t VALUES (1), (2)",
        "DELETE d.p, d.t FROM d.p JOIN d.t USING (id) WHERE d.p.id = 2",
    )
    until(middle, "", False)
    ran = replfix("resolve", middle.name, "--yes", "--config", configuration(trio, tmp_path, middle), "--json")
    assert ran.document["outcome"] == "resolved", ran.out
    until(middle, "", True)
    until(last, "", True)
    holds(last, 1)
    for server in trio.servers:
        with server.session() as session:
            assert session.rows("SELECT p.id, t.id FROM d.p LEFT JOIN d.t USING (id)") == [("1", "1")]
    with first.session() as source, last.session() as replica:
        assert executed(source) == executed(replica)


def test_a_delayed_replica_keeps_its_delay(trio: Lab, tmp_path: Path) -> None:
    first, middle, _ = trio.servers
    chain.connect((first, middle))
    write(first, "CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20))")
    until(middle, "", True)
    write_locally(middle, "INSERT INTO d.t VALUES (5, 'local')")
    write(middle, "STOP REPLICA SQL_THREAD", "CHANGE REPLICATION SOURCE TO SOURCE_DELAY = 3", "START REPLICA")
    write(first, "INSERT INTO d.t VALUES (5, 'source')")
    until(middle, "", False)
    write(first, "INSERT INTO d.t VALUES (6, 'behind')")
    config = configuration(trio, tmp_path, middle)
    ran = replfix("diagnose", middle.name, "--config", config, "--json")
    assert any("SOURCE_DELAY" in risk for risk in ran.document["strategies"][0]["risks"])
    ran = replfix("resolve", middle.name, "--yes", "--config", config, "--json")
    assert ran.document["outcome"] == "resolved", ran.out
    assert status_of(middle, "")["SQL_Delay"] == "3"
    until(middle, "", True)
    holds(middle, 2)
