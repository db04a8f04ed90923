"""The advisor on real servers: every staged fault is found, and nothing that is not there."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from replfix.lab import scenarios, topology
from replfix.lab.lab_state import LabServer
from replfix.lab.topology import Lab
from tests.integration.advisor.advised import (
    CASES,
    INSERT,
    ORDERS,
    SAME,
    SHOP,
    SMALL,
    Case,
    apart,
    circle,
    run,
    settle,
    steps,
)
from tests.integration.running import Ran, replfix

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def three(lab_state: Path) -> Iterator[Lab]:
    """Three servers of MySQL, which the cases connect as they need them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        lab = topology.up("advised", topology="ring")
    yield lab
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        topology.down("advised")


def advise(lab: Lab, *args: str) -> Ran:
    return replfix("advise", "--config", str(lab.config_file), *args)


def found(document: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    return [(f["code"], f["severity"], f["node"], f["table"]) for f in document["findings"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_found(case: Case, three: Lab) -> None:
    servers = case.arrange(three.servers)
    case.stage(servers)
    ran = advise(three, *(server.name for server in servers), "--json")
    assert set(found(ran.document)) == case.expected
    assert ran.document["unknowns"] == []
    assert ran.code == (3 if any(severity != "info" for _, severity, *_ in case.expected) else 0)
    assert all(f["evidence"] and f["message"] for f in ran.document["findings"])


@pytest.fixture(scope="module")
def two_of(any_server: str, lab_state: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Two primaries of each server that the run is for; of MySQL two of the three above."""
    if any_server == "mysql":
        yield request.getfixturevalue("three")
        return
    name = f"advised-{any_server.replace('.', '-')}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        lab = topology.up(name, topology="dual-primary", server=any_server)
    yield lab
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        topology.down(name)


def follow(fixes: Sequence[dict[str, Any]], servers: Sequence[LabServer]) -> None:
    """Run the statements of a finding, each block on the server that it names."""
    for fix in fixes:
        if fix["sql"]:
            run(next(server for server in servers if server.name == fix["node"]), *fix["sql"])


def needs_doing(document: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    return [finding for finding in found(document) if finding[1] != "info"]


def test_what_it_says_helps_and_busy_servers_give_no_false_alarm(two_of: Lab) -> None:
    servers = Case("two", lambda _: None).arrange(two_of.servers)
    names = [server.name for server in servers]
    circle(servers, (1, 1), (1, 1), how="GLOBAL")
    document = advise(two_of, names[0], "--json").document
    assert set(found(document)) == {SAME, SMALL}, "of a circle, one name is enough"
    follow(next(f["fixes"] for f in document["findings"] if f["code"] == "same-numbers"), servers)

    enough = threading.Event()

    def write(server: LabServer) -> None:
        with server.session() as session:
            for _ in range(600):  # no more than a log is read of within its time, however slow the machine
                if enough.wait(0.005):
                    return
                session.execute(INSERT)

    with ThreadPoolExecutor() as pool:
        busy = [pool.submit(write, server) for server in servers]
        try:
            for _ in range(3):
                ran = advise(two_of, *names, "--json")
                assert (needs_doing(ran.document), ran.code, ran.document["unknowns"]) == ([], 0, [])
        finally:
            enough.set()
        for writing in busy:
            writing.result()
    settle(servers)
    ran = advise(two_of, *names, "--json")
    assert needs_doing(ran.document) == []
    ids = [
        {row[0] for row in session.rows("SELECT id FROM shop.orders")}
        for server in servers
        for session in [server.session()]
    ]
    assert ids[0] == ids[1]
    inserted = sum(c["inserted"] for node in ran.document["nodes"] for c in node["counters"])
    assert inserted == len(ids[0]), "each row counts for the server that it was inserted on"


def test_rows_that_are_on_their_way_to_a_counter(two_of: Lab) -> None:
    servers = Case("two", lambda _: None).arrange(two_of.servers)
    run(servers[0], *SHOP)
    settle(servers)
    run(servers[1], "STOP REPLICA")
    run(servers[0], *(INSERT,) * 3)
    for number, server in enumerate(servers, 1):
        steps(server, 2, number, "GLOBAL")
    document = advise(two_of, *(s.name for s in servers), "--json").document
    (taken,) = [f for f in document["findings"] if f["code"] == "numbers-taken"]
    assert (taken["node"], taken["table"], taken["severity"]) == ("primary2", ORDERS, "critical")
    assert "4 rows of that class ahead of it, from 2 to 8" in " ".join(taken["evidence"])
    follow(taken["fixes"], servers)
    run(servers[1], "START REPLICA", INSERT)
    settle(servers)
    with servers[0].session() as session:
        if not session.is_mariadb:  # which logs the texts of statements by default
            session.execute("SET SESSION binlog_rows_query_log_events = ON")
        session.execute("INSERT INTO shop.orders (id, amount) VALUES (101, 1), (103, 1)")
    settle(servers)
    document = advise(two_of, *(s.name for s in servers), "--json").document
    assert [
        (f["code"], f["node"])
        for f in document["findings"]
        if f["severity"] != "info" and f["code"] != "lost-on-restart"
    ] == [("explicit-ids", "primary1")]
    (explicit,) = [f for f in document["findings"] if f["code"] == "explicit-ids"]
    assert "2 rows of 11 in its binary log, such as id 101, 103" in explicit["evidence"][0]


def test_growth_is_measured_where_the_log_is_long_enough(two_of: Lab) -> None:
    """MariaDB logs the session's timestamp, so ten days can be made; MySQL the true time, so its log is too short."""
    servers = Case("two", lambda _: None).arrange(two_of.servers)
    for number, server in enumerate(servers, 1):
        steps(server, 2, number, "GLOBAL")
    with servers[0].session() as session:
        session.execute("SET SESSION timestamp = UNIX_TIMESTAMP() - 10 * 86400")
        session.execute("CREATE DATABASE shop")
        session.execute("CREATE TABLE shop.small (id SMALLINT AUTO_INCREMENT PRIMARY KEY) AUTO_INCREMENT = 20001")
        for _ in range(60):
            session.execute("INSERT INTO shop.small VALUES (), (), (), ()")
        mariadb = session.is_mariadb
    settle(servers)
    document = advise(two_of, *(s.name for s in servers), "--json").document
    rooms = [f for f in document["findings"] if f["code"] == "head-room"]
    if not mariadb:
        assert rooms == []
        return
    (room,) = rooms
    assert (room["severity"], room["table"]) == ("warning", "shop.small")
    # 240 rows ± 2·√240, each of which takes two numbers, in ten days
    assert room["evidence"][1] == "42 to 54 ids a day are used, as 240 rows in 240 hours of binary logs show."
    assert "has 12,287 of 32,767 ids left, enough for 227 days to 294 days" in room["message"]


def test_in_words(three: Lab) -> None:
    case = next(case for case in CASES if case.name == "two-with-defaults")
    case.stage(case.arrange(three.servers))
    ran = advise(three, "primary1", "primary2")
    assert ran.code == 3
    for words in (
        "✘ primary1 and primary2 both accept writes",
        "[same-numbers]",
        "On primary2:",
        "SET PERSIST",
        "2 critical.",
    ):
        assert words in ran.out
    assert advise(three, "primary1", "--format", "json").document["schema"] == "replfix.advise/1"


def test_what_an_account_may_not_read_is_named_with_its_grant(three: Lab) -> None:
    servers = Case("two", apart).arrange(three.servers)
    apart(servers)
    run(servers[0], "CREATE USER little@'%' IDENTIFIED BY 'little'", "GRANT REPLICATION CLIENT ON *.* TO little@'%'",
        "GRANT SELECT ON shop.* TO little@'%'")  # fmt: skip
    settle(servers)
    ran = replfix("advise", "--replica", f"mysql://little:little@127.0.0.1:{servers[0].port}", "--json")
    assert ran.code == 0, ran.err
    unknowns = " ".join(ran.document["unknowns"])
    for privilege in (
        "GRANT SELECT ON performance_schema.*",
        "GRANT SELECT ON *.*",
        "REPLICATION SLAVE",
        "REPLICATION CLIENT",
    ):
        assert privilege in unknowns


def test_a_table_that_is_locked_does_not_hold_it_up(three: Lab) -> None:
    servers = Case("two", apart).arrange(three.servers)
    apart(servers)
    with servers[0].session() as session:
        session.execute("LOCK TABLES shop.orders WRITE")
        ran = advise(three, "primary1", "primary2", "--json")
    assert (ran.code, found(ran.document)) == (0, [])
    (unknown,) = ran.document["unknowns"]
    assert f"highest ids of 1 table of 127.0.0.1:{servers[0].port} are not known" in unknown


def test_servers_that_cannot_be_reached(three: Lab) -> None:
    ran = replfix("advise", "--replica", "mysql://nobody@127.0.0.1:1", "--json")
    assert ran.code == 6
    assert replfix("advise", "--config", "/dev/null").code == 2
    assert advise(three, "primary9").code == 2


def test_an_incident_points_at_the_finding_that_is_there(any_pair: Lab) -> None:
    pair = any_pair
    scenarios.find("two-writers").stage(pair)
    config = str(pair.config_file)
    pointed = f"'replfix advise --config {config}', finding same-numbers or stray-write."
    assert pointed in replfix("diagnose", "replica1", "--config", config).out
    ran = replfix("resolve", "replica1", "--strategy", "source-wins", "--yes", "--config", config)
    assert (ran.code, pointed in ran.out) == (0, True), ran.out + ran.err
    advised = found(replfix("advise", "--config", config, "--json").document)
    assert advised == [("stray-write", "warning", "replica1", None)], "it is read-only now"


def test_the_report_in_every_format_and_since_an_earlier_one(three: Lab, tmp_path: Path) -> None:
    two = Case("two", lambda _: None).arrange(three.servers)
    circle(two, (1, 1), (1, 1))
    names = [server.name for server in two]
    earlier = tmp_path / "earlier.json"
    earlier.write_text(advise(three, *names, "--json").out)
    run(two[1], "CREATE TABLE shop.bare (v INT)")
    settle(two)

    text = advise(three, *names, "--since", str(earlier))
    assert text.out.count("✘  ✘") > 1
    assert "Plan for 2 writers" in text.out
    assert "shop.bare" in text.out.split("· new: ")[1].split("\n")[0]
    assert text.code == 3
    html = advise(three, *names, "--format", "html")
    assert html.out.startswith("<!doctype html>")
    assert html.out.rstrip().endswith("</html>")
    assert advise(three, *names, "--format", "markdown").out.startswith("# How ")
    changes = advise(three, *names, "--json", "--since", str(earlier)).document["changes"]
    assert [(m["code"], m["table"]) for m in changes["new"]] == [("no-primary-key", "shop.bare")]
    assert not changes["gone"]


def test_what_is_no_earlier_report(three: Lab, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text('{"schema": "replfix.status/1"}')
    for path in (other, tmp_path / "nowhere.json"):
        ran = advise(three, "--since", str(path))
        assert ran.code == 2
        assert "--since" in ran.err
    assert advise(three, "--json", "--format", "html").code == 2


def test_every_block_can_be_run_as_printed_on_the_server_that_it_names(three: Lab) -> None:
    """Of as many findings as one topology of three can have, and of the plan; a wait is read, not waited for."""
    servers = Case("three", lambda _: None, servers=3).arrange(three.servers)
    circle(servers, (1, 1), (1, 1), (2, 4))
    run(
        servers[0],
        "CREATE TABLE shop.full (id TINYINT AUTO_INCREMENT PRIMARY KEY, v INT) AUTO_INCREMENT = 127",
        "INSERT INTO shop.full (v) VALUES (1)",
        "CREATE TABLE shop.notes (note VARCHAR(20))",
    )
    settle(servers)
    run(servers[0], "STOP REPLICA SQL_THREAD", "SET GLOBAL binlog_format = STATEMENT", "START REPLICA SQL_THREAD")
    run(servers[1], "STOP REPLICA")
    run(servers[0], *(INSERT,) * 4)
    document = advise(three, *(server.name for server in servers), "--json").document
    run(servers[1], "START REPLICA")
    at = {server.name: server for server in servers}
    blocks = [(code["code"], fix) for code in document["findings"] for fix in code["fixes"] if fix["sql"]]
    assert {code for code, _ in blocks} >= {"same-numbers", "offset-above-increment", "head-room", "unsafe-statements"}
    for _, fix in blocks:
        with at[fix["node"]].session() as session:
            for statement in fix["sql"]:
                session.query(statement)
    for action in (*document["plan"]["actions"], *document["plan"]["back"]):
        for node in action["nodes"]:
            with at[node].session() as session:
                for statement in (*action["sql"], *action["undo"]):
                    session.query_lossy(statement)
    for server in servers:
        run(server, "SET GLOBAL super_read_only = OFF", "SET GLOBAL read_only = OFF")
