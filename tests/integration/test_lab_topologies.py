"""Labs of other topologies than a source with its replicas, from the command line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from replfix.lab import topologies, topology
from replfix.lab.state import Role
from replfix.lab.topology import Lab
from tests.integration.running import Ran, replfix

pytestmark = pytest.mark.servers

CHANNELS = {
    "chain": {("replica1", ""), ("replica2", "")},
    "dual-primary": {("primary1", ""), ("primary2", "")},
    "multi-source": {("replica1", "east"), ("replica1", "west")},
    "no-gtid": {("replica1", "")},
    "ring": {("primary1", ""), ("primary2", ""), ("primary3", "")},
}


def until_well(config: str) -> Ran:
    for _ in range(300):
        ran = replfix("status", "--config", config, "--json")
        if ran.code == 0:
            break
        time.sleep(0.1)
    return ran


def written_everywhere(lab: Lab) -> None:
    """Where several servers are open for writes, what each of them writes reaches all others."""
    primaries = [server for server in lab.servers if server.role is Role.PRIMARY]
    for server in primaries:
        with server.session() as session:
            session.execute(f"CREATE DATABASE {server.name}")
    for server in primaries:
        with server.session() as session:
            for _ in range(1800):
                found = {schema for (schema,) in session.rows("SHOW DATABASES LIKE 'primary%'")}
                if found == {each.name for each in primaries}:
                    break
                time.sleep(0.05)
            else:
                pytest.fail(f"{server} has only {found}")


def nothing_to_advise(lab: Lab) -> None:
    """A healthy topology has one writer, or several that keep apart."""
    primaries = [server for server in lab.servers if server.role is Role.PRIMARY]
    for number, server in enumerate(primaries, 1):
        with server.session() as session:
            session.execute(f"SET PERSIST auto_increment_increment = {len(primaries)}")
            session.execute(f"SET PERSIST auto_increment_offset = {number}")
    with lab.servers[0].session() as session:
        session.execute("CREATE DATABASE shop")
        session.execute("CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY)")
        session.execute("INSERT INTO shop.orders VALUES (), ()")
    ran = replfix("advise", "--config", str(lab.config_file), "--json")
    assert (ran.code, ran.document["findings"], ran.document["unknowns"]) == (0, [], [])
    assert len(ran.document["nodes"]) == len(lab.servers)
    writing = {node["name"] for node in ran.document["nodes"] if node["writes"]}
    assert writing == {server.name for server in primaries or lab.servers[:1]}


@pytest.mark.parametrize("name", CHANNELS)
def test_a_lab_of_that_topology(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    try:
        ran = replfix("lab", "up", "--name", "other", "--topology", name, "--json")
        assert ran.code == 0, ran.err
        lab = Lab.load("other")
        assert lab.topology == name
        for _ in range(2):  # and again after it was made as good as new
            ran = until_well(str(lab.config_file))
            assert ran.code == 0, ran.out
            channels = {(r["name"], c["name"]) for r in ran.document["replicas"] for c in r["channels"]}
            assert channels == CHANNELS[name]
            written_everywhere(lab)
            lab.reset()
        nothing_to_advise(lab)
        assert replfix("lab", "up", "--name", "other").code == 0, "it is up already"
        ran = replfix("lab", "up", "--name", "other", "--topology", "pair")
        assert (ran.code, "has the topology" in ran.err) == (2, True)
        ran = replfix("lab", "break", "duplicate-primary", "--name", "other")
        assert (ran.code, "the scenarios are for a source" in ran.err) == (2, True)
    finally:
        assert replfix("lab", "down", "--name", "other").code == 0


def test_a_circle_of_any_server(any_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    try:
        lab = topology.up("other", topology="ring", server=any_server)
        for _ in range(2):
            assert until_well(str(lab.config_file)).code == 0
            written_everywhere(lab)
            lab.reset()
    finally:
        topology.down("other")


def test_a_topology_that_there_is_not() -> None:
    ran = replfix("lab", "up", "--name", "other", "--topology", "star")
    assert ran.code == 2
    for name in topologies.all_topologies():
        assert name in ran.err
    assert set(CHANNELS) | {"pair"} == set(topologies.all_topologies())
    assert replfix("lab", "up", "--name", "other", "--topology", "chain", "--replicas", "3").code == 2
    ran = replfix("lab", "up", "--name", "other", "--topology", "chain", "--server", "mariadb")
    assert (ran.code, "dual-primary" in ran.err) == (2, True)
