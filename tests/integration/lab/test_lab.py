"""The lab on real servers: up, down, crashes, interrupts, and every scenario."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from replfix.errors import ConfigError, ConnectError, ReplicationError, UsageError
from replfix.lab import flavours, lab_accounts, lab_state, native, processes, scenarios, topology
from replfix.lab.flavours import speaking
from replfix.lab.narration import Quiet
from replfix.lab.provision import packages
from replfix.lab.provision.software import Software
from replfix.lab.replicate import channel_state, executed, wait_until_applied, write_locally
from replfix.lab.scenario import Scenario
from replfix.lab.shared_files import cache_directory
from replfix.lab.staging import stage
from replfix.lab.template import template
from replfix.lab.topology import Lab

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def replfix(*words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "replfix", *words],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=240,
    )


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory of the test's own, in which nothing may be left behind."""
    path = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(path))
    yield path
    monkeypatch.setenv("XDG_STATE_HOME", str(path))
    left = topology.names()
    for name in left:
        topology.down(name)
    assert not left


@pytest.fixture
def software(lab: Lab) -> Software:
    """The server program that the session's lab runs on."""
    if not isinstance(lab.provision, Software):
        pytest.fail("these tests need servers that are processes of this machine")
    return lab.provision


@pytest.fixture
def mysqld(software: Software, tmp_path: Path) -> Path:
    """A program ``mysqld`` in a directory of its own: what an installed server looks like."""
    words = " ".join(f"'{word}'" for word in (*software.mysqld, "--no-defaults", *software.options))
    path = tmp_path / "bin" / "mysqld"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nshift\nexec {words} "$@"\n')
    path.chmod(0o755)
    return path


def servers_of(name: str) -> list[int]:
    return [ref.pid for ref in processes.servers_under(topology.directory_of(name)).values()]


def test_up_gives_a_source_and_replicas_that_follow_it(home: Path) -> None:
    lab = topology.up("two", 2)
    try:
        assert [s.name for s in lab.servers] == ["source", "replica1", "replica2"]
        with lab.source.session() as source:
            assert source.scalar("SELECT @@bind_address") == "127.0.0.1"
            assert source.scalar("SELECT @@gtid_executed") == ""
            source.execute("CREATE DATABASE d")
        lab.wait_until_applied()
        for replica in lab.replicas:
            with replica.session() as session:
                row = session.query(
                    "SELECT @@read_only AS r, @@super_read_only AS s, @@replica_parallel_workers AS w, "
                    "@@binlog_row_metadata AS m, @@performance_schema AS p, @@server_uuid AS u"
                )[0]
                assert (row["r"], row["s"], row["w"], row["m"], row["p"]) == ("1", "1", "4", "MINIMAL", "1")
                assert row["u"] not in str(executed(session))
        assert len({s.port for s in lab.servers}) == 3
    finally:
        lab.down()
    assert not home.exists() or not any(home.iterdir())


def test_the_passwordless_root_is_let_in_by_the_socket_only(any_pair: Lab) -> None:
    with pytest.raises(ConnectError):
        any_pair.source.session(lab_accounts.Account("root", ""))


def test_the_account_of_replfix_may_do_its_work_and_no_more(any_pair: Lab) -> None:
    with any_pair.replica.session(lab_accounts.REPLFIX) as session:
        assert session.query("SHOW REPLICA STATUS")
        session.execute("SET sql_log_bin = 0")
        session.execute("STOP REPLICA SQL_THREAD")
        session.execute("START REPLICA SQL_THREAD")
        granted = " ".join(line for (line,) in session.rows("SHOW GRANTS"))
    for missing in ("DROP", "CREATE", "SHUTDOWN", "SUPER", "FILE", "RELOAD"):
        assert f"{missing}," not in granted
    assert "GRANT OPTION" not in granted


def test_commands_from_up_to_down(home: Path) -> None:
    up = replfix("lab", "up", "--json")
    assert up.returncode == 0, up.stderr
    document = json.loads(up.stdout)
    assert document["schema"] == "replfix.lab/1"
    assert Path(document["config"]).stat().st_mode & 0o022 == 0
    assert (Path(document["directory"]) / "my.cnf").stat().st_mode & 0o777 == 0o600
    assert "Servers: MySQL" in up.stderr
    again = replfix("lab", "up")
    assert again.returncode == 0
    assert "up already" in again.stderr
    other = replfix("lab", "up", "--replicas", "2")
    assert other.returncode == 2
    assert "has 1 replica" in other.stderr

    broken = replfix("lab", "break", "duplicate-unique", "--json")
    assert broken.returncode == 0, broken.stderr
    replica = json.loads(broken.stdout)["servers"][1]
    assert replica["channel"]["error"]["errno"] == 1062
    refused = replfix("lab", "break", "duplicate-primary")
    assert refused.returncode == 3
    assert "--reset" in refused.stderr
    assert replfix("lab", "break", "missing-row-update", "--reset").returncode == 0
    status = replfix("lab", "status")
    assert status.returncode == 3
    assert "error 1032" in status.stdout

    assert replfix("lab", "down").returncode == 0
    assert replfix("lab", "down").returncode == 0
    gone = replfix("lab", "status")
    assert gone.returncode == 2
    assert "lab up" in gone.stderr


def test_an_unknown_scenario_is_answered_with_the_closest_one(home: Path) -> None:
    answer = replfix("lab", "break", "duplicate-primry")
    assert answer.returncode == 2
    assert "Did you mean 'duplicate-primary'?" in answer.stderr
    listed = replfix("lab", "break")
    assert all(name in listed.stdout for name in scenarios.names())


def test_down_after_a_crash(home: Path) -> None:
    lab = topology.up("crash")
    assert lab.source.process is not None
    os.kill(lab.source.process.pid, signal.SIGKILL)
    assert topology.down("crash")
    assert not topology.directory_of("crash").exists()
    assert servers_of("crash") == []
    assert not topology.down("crash")


def test_up_starts_again_what_has_died(home: Path) -> None:
    lab = topology.up("again")
    try:
        scenarios.find("duplicate-primary").stage(lab)
        for server in lab.servers:
            assert server.process is not None
            os.kill(server.process.pid, signal.SIGKILL)
        while servers_of("again"):
            time.sleep(0.02)
        assert [s.up for s in Lab.load("again").states()] == [False, False]
        with pytest.raises(ConfigError, match="Down: source"):
            stage(lab, scenarios.find("duplicate-unique"), Quiet())
        lab = topology.up("again")
        assert [s.up for s in lab.states()] == [True, True]
        with lab.source.session() as source:
            assert source.scalar("SELECT COUNT(*) FROM shop.orders") == "5"
        lab.reset()
        with lab.replica.session() as replica:
            found = channel_state(replica)
        assert found is not None
        assert found.applier_running
    finally:
        topology.down("again")


@pytest.mark.parametrize("damage", ["{", None])
def test_down_with_a_damaged_or_missing_state_file(home: Path, damage: str | None) -> None:
    lab = topology.up("damaged")
    file = lab_state.state_file(lab.directory)
    if damage is None:
        file.unlink()
    else:
        file.write_text(damage)
    assert len(servers_of("damaged")) == 2
    with pytest.raises(ConfigError, match="half made") as caught:
        Lab.load("damaged")
    assert "replfix lab down --name damaged" in caught.value.hint
    assert topology.down("damaged")
    assert servers_of("damaged") == []
    assert not lab.directory.exists()


def test_down_leaves_a_stranger_with_a_reused_number_alone(home: Path) -> None:
    lab = topology.up("reused")
    file = lab_state.state_file(lab.directory)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        data = json.loads(file.read_text())
        pid = data["servers"][0]["process"]["pid"]
        # The number is the stranger's, once with the server's start time and once with the stranger's own.
        data["servers"][0]["process"]["pid"] = stranger.pid
        data["servers"][1]["process"] = {"pid": stranger.pid, "started": processes.started_at(stranger.pid)}
        file.write_text(json.dumps(data))
        assert topology.down("reused")
        assert stranger.poll() is None
        assert processes.started_at(pid) is None  # found by its command line
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_up_interrupted(home: Path, number: signal.Signals) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "replfix", "lab", "up", "--name", "cut"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not servers_of("cut"):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(number)
    process.communicate(timeout=60)
    if number == signal.SIGINT:
        assert process.returncode == 130
        assert not topology.directory_of("cut").exists()
        assert servers_of("cut") == []
    else:
        assert servers_of("cut")
        lab = topology.up("cut")
        assert len(servers_of("cut")) == 2
        lab.down()


def test_a_second_start_needs_no_network(home: Path, lab: Lab) -> None:
    if not isinstance(lab.provision, Software) or "packages" not in lab.provision.mysqld[-1]:
        pytest.skip("the servers of this machine are not unpacked packages: there is nothing to fetch")
    up = replfix("lab", "up", "--name", "offline", env={"PATH": "/nonexistent"})
    assert up.returncode == 0, up.stderr
    assert topology.down("offline")


def test_no_server_at_all_says_what_to_install(home: Path, tmp_path: Path) -> None:
    answer = replfix("lab", "up", env={
        "PATH": "/nonexistent", "XDG_CACHE_HOME": str(tmp_path / "empty"), "DOCKER_HOST": f"unix://{tmp_path}/none.sock",
    })  # fmt: skip
    assert answer.returncode == 2
    assert "no apt-get" in answer.stderr
    assert "mysql-server-core" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert not home.exists() or not any(home.rglob("*"))


def test_a_server_that_is_named_or_on_path_is_taken(home: Path, tmp_path: Path, mysqld: Path) -> None:
    cache = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    named = replfix("lab", "up", "--name", "named", "--mysqld", str(mysqld), env=cache)
    assert named.returncode == 0, named.stderr
    assert f"{mysqld} (--mysqld)" in named.stderr
    on_path = replfix("lab", "up", "--name", "path", env={**cache, "PATH": f"{mysqld.parent}:/usr/bin:/bin"})
    assert on_path.returncode == 0, on_path.stderr
    assert f"{mysqld} (on PATH)" in on_path.stderr
    assert not (tmp_path / "cache" / "replfix" / "servers").exists()
    assert topology.down("named")
    assert topology.down("path")


def test_two_labs_at_once_on_an_empty_cache(home: Path, tmp_path: Path, mysqld: Path) -> None:
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache")}
    commands = [
        subprocess.Popen(
            [sys.executable, "-m", "replfix", "lab", "up", "--name", name, "--mysqld", str(mysqld)],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for name in ("one", "other", "one")
    ]  # fmt: skip
    for command in commands:
        _, told = command.communicate(timeout=120)
        assert command.returncode == 0, told
    assert topology.names() == ["one", "other"]
    assert len(servers_of("one")) == len(servers_of("other")) == 2
    made = tmp_path / "cache" / "replfix" / "templates"
    assert len([entry for entry in made.iterdir() if entry.is_dir()]) == 1
    topology.down("one")
    topology.down("other")


@pytest.mark.parametrize("path", ["/bin/true", "/nonexistent/mysqld", "/"])
def test_what_is_no_server_is_refused(home: Path, path: str) -> None:
    with pytest.raises(ConfigError, match=r"mysqld|cannot be started"):
        topology.up("none", mysqld=path)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "Ä", "x" * 80])
def test_names_that_cannot_be(home: Path, name: str) -> None:
    with pytest.raises(UsageError):
        topology.down(name)


def test_a_server_that_cannot_start_is_reported_with_its_own_words(home: Path, software: Software) -> None:
    class Stubborn(Software):
        __slots__ = ()

        def server_command(self, *options: str) -> list[str]:
            return super().server_command(*options, "--no-such-option=1")

    stubborn = Stubborn(software.flavour, software.origin, software.version, software.mysqld, software.options)
    directory = home / "replfix" / "lab" / "broken"
    server = lab_state.LabServer("source", lab_state.Role.SOURCE, native.free_ports(1)[0], 1, directory / "source")
    native.prepare(server, template(software, cache_directory(), Quiet()))
    with pytest.raises(ConnectError, match="no-such-option"):
        native.start([server], stubborn, may_change_port=True)
    assert topology.down("broken")


def test_unpacked_packages_are_recognised_and_damaged_ones_are_not(tmp_path: Path, lab: Lab) -> None:
    if not isinstance(lab.provision, Software) or "packages" not in lab.provision.mysqld[-1]:
        pytest.skip("the servers of this machine are not unpacked packages")
    prefix = Path(lab.provision.mysqld[-1]).parents[2]
    assert packages.describe(flavours.find("mysql"), prefix, "test").version == lab.provision.version
    (tmp_path / "usr/sbin").mkdir(parents=True)
    (tmp_path / "usr/sbin/mysqld").touch()
    with pytest.raises(packages.NoPackages, match="contain no"):
        packages.describe(flavours.find("mysql"), tmp_path, "test")


def test_scenario_stops_the_replica_as_it_says(any_pair: Lab, scenario: Scenario) -> None:
    error = stage(any_pair, scenario, Quiet())
    expects = scenario.expects
    assert (error.errno, error.event) == (expects.errno, expects.event)
    assert error.table == f"{expects.schema}.{expects.table}"
    assert error.key in (
        expects.key,
        expects.key and expects.key.removeprefix(f"{expects.table}."),
    )  # as MariaDB has it
    with any_pair.replica.session() as replica, any_pair.source.session() as source:
        lab_state = channel_state(replica)
        errant = executed(replica) - executed(source)
        waiting = executed(source) - executed(replica)
    assert lab_state is not None
    assert (lab_state.receiver_running, lab_state.applier_running) == (True, False)
    source_state, replica_state = any_pair.states()
    assert not source_state.read_only
    assert replica_state.read_only
    assert replica_state.super_read_only is not False
    assert len(waiting) == expects.rounds + expects.behind
    logged = expects.cause in ("local-write", "two-writers")
    assert bool(errant) == logged


def test_scenarios_can_follow_one_another_once_the_channel_runs(any_pair: Lab) -> None:
    pair = any_pair
    stage(pair, scenarios.find("duplicate-primary"), Quiet())
    with pytest.raises(ReplicationError, match="stopped already"):
        stage(pair, scenarios.find("update-collides"), Quiet())
    write_locally(pair.replica, "DELETE FROM shop.orders WHERE id = 5", logged=False)
    with pair.replica.session() as replica:
        replica.execute("START REPLICA")
    wait_until_applied(pair.source, pair.replica)
    assert stage(pair, scenarios.find("update-collides"), Quiet()).key in ("customers.email", "email")


def test_reset_leaves_nothing_of_the_test_before(any_pair: Lab) -> None:
    pair = any_pair
    stage(pair, scenarios.find("two-writers"), Quiet())
    with pair.source.session() as source:
        source.execute("CREATE USER leftover IDENTIFIED BY 'x'")
        source.execute("GRANT SELECT ON shop.* TO leftover")
        source.execute("SET GLOBAL auto_increment_increment = 7")
        source.execute("CREATE TABLE shop.held (id INT PRIMARY KEY)")
        for statement in ("START", "END", "PREPARE"):
            source.execute(f"XA {statement} 'it''s', 'held', 3")
            if statement == "START":
                source.execute("INSERT INTO shop.held VALUES (1)")
    with pair.source.session(lab_accounts.Account("leftover", "x")) as held:
        held.execute("BEGIN")
        held.query("SELECT * FROM shop.orders")  # DROP would wait for it
        pair.reset()
    for server in pair.servers:
        with server.session() as session:
            assert not executed(session)
            assert not speaking(session).prepared(session)
            assert ("shop",) not in session.rows("SHOW DATABASES")
            assert session.scalar("SELECT COUNT(*) FROM mysql.user WHERE User = 'leftover'") == "0"
            assert session.scalar("SELECT @@GLOBAL.auto_increment_increment") == "1"
    state_of_replica = pair.states()[1]
    assert state_of_replica.read_only
    assert state_of_replica.super_read_only is not False
    assert state_of_replica.channel is not None
    assert state_of_replica.channel.applier_running


def test_reset_after_a_transaction_that_the_replica_has_only_prepared(any_pair: Lab) -> None:
    """In a GTID domain of its own, on MariaDB."""
    with any_pair.source.session() as source:
        product = speaking(source).product
        source.execute("CREATE DATABASE d")
        source.execute("CREATE TABLE d.t (id INT PRIMARY KEY)")
        any_pair.wait_until_applied()  # domains do not wait for one another
        domain = ("SET gtid_domain_id = 7",) if product == "MariaDB" else ()
        for statement in (*domain, "XA START 'a'", "INSERT INTO d.t VALUES (1)", "XA END 'a'", "XA PREPARE 'a'"):
            source.execute(statement)
        any_pair.wait_until_applied()
        any_pair.reset()
    with any_pair.replica.session() as replica:
        assert not speaking(replica).prepared(replica)
        assert not executed(replica)
