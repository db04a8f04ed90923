"""One GTID domain for every server and no strict mode, as MariaDB comes: a transaction that is still to be applied can have a
lower number than one that is. The failing one was named by its number, and rows of another transaction were changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from replfix.errors import ServerError
from replfix.lab import topology
from replfix.lab.lab_accounts import REPL, REPLFIX
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import wait_until_applied, wait_until_stopped
from replfix.lab.topologies.wiring import disconnect, follow
from replfix.lab.topology import Lab
from replfix.mysql.connection import terms
from tests import waiting
from tests.conftest import SERVERS, by_server
from tests.integration.running import Ran, replfix

MARIADBS = SERVERS[1:]
ROWS = "SELECT id, amount FROM shop.orders ORDER BY id"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "trio" in metafunc.fixturenames:
        on = [param for param in by_server(metafunc.config) if param.values[0] in MARIADBS]
        metafunc.parametrize("trio", on, indirect=True, scope="module")


@pytest.fixture(scope="module")
def trio(request: pytest.FixtureRequest, lab_state: Path) -> Iterator[Lab]:
    """Three servers that follow nobody, set as the server comes, with rows as events."""
    name = f"trio-{request.param.replace('.', '-')}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        try:
            yield topology.up(name, 2, server=request.param)
        finally:
            topology.down(name)


@pytest.fixture
def alone(trio: Lab) -> tuple[LabServer, ...]:
    with trio.replicas[-1].session() as session:
        session.execute("STOP ALL SLAVES")
        for name in ("source", "replica1"):
            with suppress(ServerError):  # no such connection
                session.execute(f"RESET REPLICA '{name}' ALL")
    disconnect(trio.servers)
    for server in trio.servers:
        write(
            server,
            "SET GLOBAL gtid_strict_mode = OFF",
            "SET GLOBAL gtid_domain_id = 0",
            f"SET GLOBAL {terms.PARALLEL_THREADS} = 0",
            "SET GLOBAL binlog_row_metadata = NO_LOG",
        )
    return trio.servers


def write(server: LabServer, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def rows(server: LabServer) -> list[tuple[object, ...]]:
    with server.session() as session:
        return session.rows(ROWS)


def resolved(replica: LabServer, source: LabServer, *options: str) -> Ran:
    where = ("--replica", replica.url(REPLFIX), "--source", source.url(REPLFIX), *options)
    ran = replfix("resolve", *where, "--yes", "--json")
    assert ran.code == 0, ran.out + ran.err
    return ran


def test_a_chain(alone: tuple[LabServer, ...]) -> None:
    first, middle, last = alone
    follow(middle, first)
    follow(last, middle)
    write(first, "CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY, amount INT)")
    write(first, "INSERT INTO shop.orders VALUES (1, 10), (2, 20)")
    wait_until_applied(first, middle)
    write(middle, "INSERT INTO shop.orders VALUES (3, 333)")
    wait_until_applied(middle, last)
    write(last, "SET sql_log_bin = 0", "UPDATE shop.orders SET amount = 100 WHERE id = 1")
    write(first, "INSERT INTO shop.orders VALUES (3, 30)", "UPDATE shop.orders SET amount = 11 WHERE id = 1")
    wait_until_stopped(middle)
    write(middle, "SET sql_log_bin = 0", "DELETE FROM shop.orders WHERE id = 3", "START REPLICA")
    wait_until_stopped(last)
    rounds = resolved(last, middle).document["rounds"]
    assert [one["gtid"] for one in rounds] == ["0-1-4"]
    assert [step["sql"] for step in rounds[0]["steps"]] == ["DELETE FROM `shop`.`orders` WHERE `id` = 3"]
    waiting.until(lambda: rows(last) == rows(first), "the last server is not as the first one")


def test_two_sources(alone: tuple[LabServer, ...]) -> None:
    """By positions: with GTIDs, one position for both sources is no place in either log."""
    east, west, replica = alone
    table = ("CREATE DATABASE shop", "CREATE TABLE shop.orders (id INT PRIMARY KEY, amount INT)")
    for server in (replica, east, west):
        write(server, *(("SET sql_log_bin = 0",) if server is replica else ()), *table)
    write(replica, "SET sql_log_bin = 0", "INSERT INTO shop.orders VALUES (1, 10), (2, 22), (3, 33)")
    for source in (east, west):
        _follow_from_here(replica, source)
    write(west, *(f"INSERT INTO shop.orders VALUES ({number}, 0)" for number in range(11, 17)))
    waiting.until(lambda: len(rows(replica)) == 9, "the rows of one source have not come")
    write(east, "INSERT INTO shop.orders VALUES (3, 30)", "INSERT INTO shop.orders VALUES (2, 20)")
    waiting.until(lambda: _failed(replica), "the other source's row is not in the way")
    write(west, "INSERT INTO shop.orders VALUES (17, 0)")
    waiting.until(lambda: len(rows(replica)) == 10, "the other channel does not go on")
    where = ("--replica", replica.url(REPLFIX), "--source", east.url(REPLFIX), "--channel", "source")
    unknowns = replfix("diagnose", *where, "--json").document["unknowns"]
    assert not [text for text in unknowns if "relay log" in text], "the source is asked, by GTID"
    rounds = resolved(replica, east, "--channel", "source").document["rounds"]
    assert [(one["gtid"], one["last_gtid"]) for one in rounds] == [("0-1-3", "0-1-4")]
    assert rows(replica) == sorted([("1", "10"), *rows(east), *rows(west)], key=lambda row: int(str(row[0])))


def _follow_from_here(replica: LabServer, source: LabServer) -> None:
    with source.session() as session:
        log = session.query("SHOW MASTER STATUS")[0]
    change = terms.change_source(
        connection=f"'{source.name}'",
        host=f"'{source.host}'",
        port=source.port,
        user=f"'{REPL.name}'",
        password=f"'{REPL.password}'",
        log_file=f"'{log['File']}'",
        log_pos=log["Position"],
        use_gtid="no",
    )
    write(replica, change, f"START REPLICA '{source.name}'")


def _failed(replica: LabServer) -> bool:
    with replica.session() as session:
        return any(row["Last_SQL_Errno"] == "1062" for row in session.query("SHOW ALL SLAVES STATUS"))
