"""A receiver that its source refuses: what is printed names the reason and lets it go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from replfix.lab.lab_state import LabServer
from replfix.lab.topology import Lab
from tests.conftest import SERVERS, Labs, by_server
from tests.following.follower import Follower
from tests.integration.running import replfix
from tests.waiting import until

MARIADBS = SERVERS[1:]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    on = [param for param in by_server(metafunc.config) if param.values[0] in MARIADBS]
    for name in ("shipped", "twins"):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, on, indirect=True)


@pytest.fixture
def shipped(request: pytest.FixtureRequest, labs: Labs) -> Lab:
    """One GTID domain and no strict mode, as MariaDB comes."""
    return labs(request.param).arranged(as_shipped=True)


@pytest.fixture
def twins(request: pytest.FixtureRequest, labs: Labs) -> Iterator[Lab]:
    """Two replicas of one source with one server_id."""
    lab = labs(request.param, 2).arranged("pair")
    first, second = (server_id(replica) for replica in lab.replicas)
    renumber(lab.replicas[1], first)
    yield lab
    renumber(lab.replicas[1], second)
    with lab.source.session() as session:
        session.execute("REVOKE REPLICATION MASTER ADMIN ON *.* FROM 'replfix'@'%'")


def server_id(server: LabServer) -> int:
    with server.session() as session:
        return int(str(session.scalar("SELECT @@GLOBAL.server_id")))


def renumber(server: LabServer, number: int) -> None:
    with server.session() as session:
        for statement in ("STOP REPLICA", f"SET GLOBAL server_id = {number}", "START REPLICA"):
            session.execute(statement)


def refused(lab: Lab) -> bool:
    with lab.replica.session() as session:
        return "1236" in str(session.query_lossy("SHOW REPLICA STATUS")[0]["Last_IO_Errno"])


def test_a_position_that_names_the_replicas_own_transaction(shipped: Lab) -> None:
    """Using_Gtid=Current_Pos counts what the replica wrote itself; a gtid_slave_pos set by hand can name it too."""
    lab = shipped
    with lab.source.session() as source, lab.replica.session() as replica:
        for statement in ("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)"):
            source.execute(statement)
        lab.wait_until_applied()
        replica.execute("CREATE TABLE d.own (id INT PRIMARY KEY)")
        own = str(replica.scalar("SELECT @@gtid_binlog_pos"))
        for change in ("CHANGE MASTER TO MASTER_USE_GTID = current_pos", f"SET GLOBAL gtid_slave_pos = '{own}'"):
            for statement in ("STOP REPLICA", change, "START REPLICA"):
                replica.execute(statement)
            until(lambda: refused(lab))
            followed = Follower(lab).follow()
            assert not followed.faults, followed
            assert f"what follows {own}, which it wrote itself" in followed.said[0]
        source.execute("INSERT INTO d.t VALUES (2)")
        lab.wait_until_applied()


def identities(lab: Lab, replica: str) -> list[dict[str, str]]:
    ran = replfix("doctor", replica, "--config", str(lab.config_file), "--json")
    assert "checks" in ran.document, ran.out + ran.err
    return [check for check in ran.document["checks"] if check["code"] == "replica-identity"]


def test_two_replicas_with_one_server_id(twins: Lab) -> None:
    """A replica made from a copy of another with its option file: the status of both says nothing, and both receivers start
    over and over. By turns the source lists now the one, now the other."""
    one, other = twins.replicas
    fixes: list[str] = []
    (hidden,) = identities(twins, "replica1")
    assert hidden["verdict"] == "warning"
    with twins.source.session() as session:
        for statement in hidden["fix"].rstrip(";").split("; "):
            session.execute(statement)

    def named() -> bool:
        for replica, twin in (("replica1", other), ("replica2", one)):
            for check in identities(twins, replica):
                if check["verdict"] == "failed":
                    assert f"{twin.host}:{twin.port}" in check["message"]
                    fixes.append(check["fix"])
        return bool(fixes)

    until(named)
    assert fixes[0].startswith("SET GLOBAL server_id = ")
    assert fixes[0].split()[4].rstrip(";") not in {str(server_id(server)) for server in twins.servers}
