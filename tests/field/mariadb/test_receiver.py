"""A receiver that its source refuses: what is printed names the reason and lets it go on."""

from __future__ import annotations

import pytest

from replfix.lab.topology import Lab
from tests.conftest import SERVERS, Labs, by_server
from tests.following.follower import Follower
from tests.waiting import until

MARIADBS = SERVERS[1:]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "shipped" in metafunc.fixturenames:
        on = [param for param in by_server(metafunc.config) if param.values[0] in MARIADBS]
        metafunc.parametrize("shipped", on, indirect=True)


@pytest.fixture
def shipped(request: pytest.FixtureRequest, labs: Labs) -> Lab:
    """One GTID domain and no strict mode, as MariaDB comes."""
    return labs(request.param).arranged(as_shipped=True)


def refused(lab: Lab) -> bool:
    with lab.replica.session() as session:
        return "1236" in str(session.told("SHOW REPLICA STATUS")[0]["Last_IO_Errno"])


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
            assert f"behind {own}, which it wrote itself" in followed.said[0]
        source.execute("INSERT INTO d.t VALUES (2)")
        lab.wait_until_applied()
