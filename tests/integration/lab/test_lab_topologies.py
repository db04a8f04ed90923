"""Labs of other topologies than a source with its replicas, from the command line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from replfix.lab import topologies
from replfix.lab.flavours import speaking
from replfix.lab.lab_state import LabServer, Role
from replfix.lab.topology import Lab
from tests.conftest import Arranged
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
    """What each server that is open for writes writes reaches all that follow."""
    writing = [server for server in lab.servers if server.role.writes]
    for server in writing:
        with server.session() as session:
            session.execute(f"CREATE DATABASE by_{server.name}")
    for server in lab.replicas:
        with server.session() as session:
            for _ in range(1800):
                found = {schema for (schema,) in session.rows("SHOW DATABASES LIKE 'by\\_%'")}
                if found == {f"by_{each.name}" for each in writing}:
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


def of_the_lab(server: LabServer) -> dict[str, str]:
    """What a lab sets otherwise than the server ships with, as it is there now."""
    with server.session() as session:
        flavour = speaking(session)
        values = flavour.variables(session)
        return {name: values[name] for name in flavour.chosen(server.server_id)}


def test_every_topology_of_any_server(any_server: str, arranged: Arranged) -> None:
    """One after the other on the same servers, with a lab's settings and with those that the servers ship with."""
    for name, channels in CHANNELS.items():
        settings = []
        for as_shipped in (False, True):
            lab = arranged(name, as_shipped=as_shipped)
            ran = until_well(str(lab.config_file))
            assert ran.code == 0, ran.out
            assert {(r["name"], c["name"]) for r in ran.document["replicas"] for c in r["channels"]} == channels
            written_everywhere(lab)
            settings.append([of_the_lab(server) for server in lab.servers])
        if any_server == "mysql":
            assert settings == [[{}] * len(lab.servers)] * 2
        else:
            assert [each["gtid_domain_id"] for each in settings[0]] == [str(n) for n in range(len(lab.servers))]
            assert settings[1] == [AS_MARIADB_SHIPS] * len(lab.servers)


AS_MARIADB_SHIPS = {
    "binlog_format": "MIXED",
    "binlog_row_metadata": "NO_LOG",
    "gtid_domain_id": "0",
    "gtid_strict_mode": "OFF",
    "slave_parallel_threads": "0",
}


def test_a_lab_as_the_servers_ship(any_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    other = ("--name", "other", "--server", any_server)
    try:
        assert replfix("lab", "up", *other, "--as-shipped").code == 0
        lab = Lab.load("other")
        lab.reset()
        expected: dict[str, str] = {} if any_server == "mysql" else AS_MARIADB_SHIPS
        assert [of_the_lab(server) for server in lab.servers] == [expected] * 2
        assert replfix("lab", "up", *other, "--as-shipped").code == 0, "it is up already"
        assert replfix("lab", "down", "--name", "other").code == 0
        assert replfix("lab", "up", *other).code == 0
        ran = replfix("lab", "up", *other, "--as-shipped")
        assert (ran.code, "do not have the settings that they ship with" in ran.err) == (2, True)
    finally:
        assert replfix("lab", "down", "--name", "other").code == 0


def test_the_fixture_is_put_back(as_shipped: Lab) -> None:
    assert all(server.as_shipped for server in as_shipped.servers)
    shipped = [of_the_lab(server) for server in as_shipped.servers]
    as_shipped.reset()
    assert [of_the_lab(server) for server in as_shipped.servers] == shipped
    lab = Lab.load(as_shipped.name)
    lab.reset()
    assert [of_the_lab(server) for server in lab.servers] == [chosen(server) for server in lab.servers]


def chosen(server: LabServer) -> dict[str, str]:
    with server.session() as session:
        return dict(speaking(session).chosen(server.server_id))


def test_a_topology_that_there_is_not() -> None:
    ran = replfix("lab", "up", "--name", "other", "--topology", "star")
    assert ran.code == 2
    for name in topologies.all_topologies():
        assert name in ran.err
    assert set(CHANNELS) | {"pair"} == set(topologies.all_topologies())
    assert replfix("lab", "up", "--name", "other", "--topology", "chain", "--replicas", "3").code == 2
