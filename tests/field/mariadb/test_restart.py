"""Starts that MariaDB does not survive: an applier with several GTID domains and parallel threads that is started alone applies
transactions again; a run that is killed with both threads down leaves an applier that waits for a relay log which is gone."""

from __future__ import annotations

import pytest

from replfix.lab.replicate import wait_until_stopped, write_locally
from replfix.lab.topology import Lab
from replfix.mysql.connection import terms
from tests.conftest import SERVERS, Labs, by_server
from tests.field.test_stopped_receiver import (
    SOURCE_WINS,
    conflict,
    execute,
    purge,
    received,
    relay_logs,
    resolve,
    rows,
    running,
    status,
    write,
)
from tests.integration.running import replfix
from tests.waiting import until

MARIADBS = SERVERS[1:]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "mariadb" in metafunc.fixturenames:
        on = [param for param in by_server(metafunc.config) if param.values[0] in MARIADBS]
        metafunc.parametrize("mariadb", on, indirect=True)


@pytest.fixture
def mariadb(request: pytest.FixtureRequest, labs: Labs) -> Lab:
    """A pair as MariaDB ships."""
    return labs(request.param).arranged(as_shipped=True)


def several_domains(lab: Lab) -> None:
    """Four parallel threads, one source that writes in three domains, and an applier that was stopped and started alone once. It
    has stopped on row 3; what it applied first made the table."""
    (lab.directory / "audit.db").unlink(missing_ok=True)
    execute(lab.replica, "STOP REPLICA", f"SET GLOBAL {terms.PARALLEL_THREADS} = 4", "START REPLICA")
    write(
        lab.source,
        "CREATE DATABASE d",
        "CREATE OR REPLACE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20))",
        "INSERT INTO d.t VALUES (1, 'one')",
    )
    lab.wait_until_applied()
    write(
        lab.source,
        "SET gtid_domain_id = 10",
        "INSERT INTO d.t VALUES (11, 'ten')",
        "SET gtid_domain_id = 20",
        "INSERT INTO d.t VALUES (21, 'twenty')",
    )
    lab.wait_until_applied()
    execute(lab.replica, "STOP REPLICA SQL_THREAD", "START REPLICA SQL_THREAD")
    write_locally(lab.replica, "INSERT INTO d.t VALUES (3, 'local')", logged=False)
    write(
        lab.source,
        "INSERT INTO d.t VALUES (3, 'source')",
        "SET gtid_domain_id = 10",
        "INSERT INTO d.t VALUES (12, 'ten')",
    )
    wait_until_stopped(lab.replica)
    received(lab)


def test_several_domains_and_parallel_threads(mariadb: Lab) -> None:
    """Both threads are stopped and started, again for the next conflict, and no transaction is applied a second time."""
    several_domains(mariadb)
    for domain in (0, 10, 20):
        ran = resolve(mariadb)
        assert ran.code == 0, ran.out + ran.err
        assert any("apply transactions again" in risk for risk in ran.document["rounds"][0]["risks"])
        mariadb.wait_until_applied()
        assert rows(mariadb.replica) == rows(mariadb.source)
        assert running(mariadb.replica) == ("Yes", "Yes")
        row = 100 + domain
        write_locally(mariadb.replica, f"INSERT INTO d.t VALUES ({row}, 'local')", logged=False)
        write(mariadb.source, f"SET gtid_domain_id = {domain}", f"INSERT INTO d.t VALUES ({row}, 'source')")
        wait_until_stopped(mariadb.replica)
        received(mariadb)


def test_several_domains_and_the_next_conflict_behind_a_later_change(mariadb: Lab) -> None:
    """The channel runs on, changes the row of the failing transaction again and stops on the next: what it left is not held against the
    first transaction."""
    several_domains(mariadb)
    write_locally(mariadb.replica, "INSERT INTO d.t VALUES (4, 'local')", logged=False)
    write(mariadb.source, "UPDATE d.t SET v = 'later' WHERE id = 3", "INSERT INTO d.t VALUES (4, 'source')")
    received(mariadb)
    ran = resolve(mariadb)
    assert ran.code == 0, ran.out + ran.err
    assert len(ran.document["rounds"]) == 2
    mariadb.wait_until_applied()
    assert rows(mariadb.replica) == rows(mariadb.source)


def test_an_error_that_fits_two_domains_is_the_one_with_a_row_in_the_way(mariadb: Lab) -> None:
    """11.8.9 says of a failing event neither its transaction nor where it ends: the first that fits waited for a lock only."""
    several_domains(mariadb)
    assert resolve(mariadb).code == 0
    mariadb.wait_until_applied()
    write_locally(mariadb.replica, "INSERT INTO d.t VALUES (4, 'local')", logged=False)
    execute(mariadb.replica, "STOP REPLICA", "SET GLOBAL slave_domain_parallel_threads = 2")
    write(
        mariadb.source,
        "INSERT INTO d.t VALUES (5, 'waits')",
        *(f"INSERT INTO d.t VALUES ({row}, 'not begun')" for row in range(30, 60)),
        "SET gtid_domain_id = 10",
        "INSERT INTO d.t VALUES (4, 'source')",
    )
    with mariadb.replica.session() as session:
        session.execute("SET sql_log_bin = 0")
        session.execute("BEGIN")
        session.execute("INSERT INTO d.t VALUES (5, 'held')")
        execute(mariadb.replica, "START REPLICA")
        until(lambda: status(mariadb.replica)["Last_SQL_Errno"] == "1062")
        session.execute("ROLLBACK")
    wait_until_stopped(mariadb.replica)
    ran = resolve(mariadb)
    assert ran.code == 0, ran.out + ran.err
    (only,) = ran.document["rounds"]
    assert [(step["kind"], step["current"]["id"]) for step in only["steps"]] == [("delete", 4)]
    mariadb.wait_until_applied()
    assert rows(mariadb.replica) == rows(mariadb.source)


def test_several_domains_and_a_source_that_has_purged(mariadb: Lab) -> None:
    """Neither the applier alone nor both threads may be started: refused before anything is changed."""
    several_domains(mariadb)
    purge(mariadb.source)
    kept, before = relay_logs(mariadb.replica), rows(mariadb.replica)
    ran = resolve(mariadb)
    assert ran.code == 4, ran.out + ran.err
    assert "several GTID domains and parallel threads" in ran.document["message"]
    assert {name: data for name, data in relay_logs(mariadb.replica).items() if name in kept}.keys() == kept.keys()
    assert rows(mariadb.replica) == before


KILLS = (
    "answered STOP REPLICA ''",
    "answered START REPLICA '' IO_THREAD",
    "answered COMMIT",
    "answered START REPLICA '' UNTIL",
    "answered STOP REPLICA '' SQL_THREAD",
    "answered STOP REPLICA '' IO_THREAD",
)


def test_a_run_with_a_stopped_receiver_is_killed(mariadb: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Around every start and stop: ``recover`` or the same command ends it, and nothing of the relay log is lost."""
    of_this_server = KILLS[mariadb.provision.flavour.name == MARIADBS[0] :: 2]
    for number, at in enumerate(of_this_server):
        lab = mariadb.arranged(as_shipped=True)
        conflict(lab)
        execute(lab.replica, "STOP REPLICA")
        points = str(tmp_path_factory.mktemp("points") / "log")
        command = ("resolve", "replica1", "--yes", "--config", str(lab.config_file), "--json")
        ran = replfix(*command, dying=(points, at))
        assert ran.code == -9, (at, ran)
        if number % 2:
            ran = replfix("recover", "replica1", "--config", str(lab.config_file), "--json")
            assert ran.code == 0, (at, ran)
        ran = replfix(*command)
        # 4: the killed run had done all, and the receiver is stopped, as somebody left it.
        assert ran.code in (0, 3) or (ran.code == 4 and "The receiver of the channel is stopped" in ran.out), (at, ran)
        execute(lab.replica, "START REPLICA")
        lab.wait_until_applied()
        assert rows(lab.replica) == SOURCE_WINS, at


def test_an_applier_that_waits_for_a_relay_log_that_is_gone(
    mariadb: Lab, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A run was killed behind its repair, and somebody started the applier alone while both threads were down: ``recover`` sees
    that it waits for nothing, starts the receiver, and the transaction comes again. Where it goes on to was somebody's choice."""
    lab = mariadb
    conflict(lab)
    points = str(tmp_path_factory.mktemp("points") / "log")
    command = ("resolve", "replica1", "--yes", "--config", str(lab.config_file), "--json")
    ran = replfix(*command, dying=(points, "answered COMMIT"))
    assert ran.code == -9, ran
    with lab.source.session() as session:
        last = session.query("SHOW BINARY LOGS")[-1]
    end = terms.until_position(f"'{last['Log_name']}'", int(last["File_size"]))
    execute(lab.replica, "STOP REPLICA", f"START REPLICA SQL_THREAD{end}")
    ran = replfix("recover", "replica1", "--config", str(lab.config_file), "--json")
    assert ran.code == 0, ran.out + ran.err
    ((recovered,),) = (replica["recovered"] for replica in ran.document["replicas"])
    assert ": applied and verified." in recovered["message"]
    assert "does not confirm that this run stopped it" in recovered["next"]
    execute(lab.replica, "STOP REPLICA", "START REPLICA")
    lab.wait_until_applied()
    assert rows(lab.replica) == SOURCE_WINS
