"""The advisor's plan, carried out word by word on servers that are all written to, while applications go on trying."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from replfix.core.advisor.node import Step
from replfix.core.advisor.simulation import Hand, simulate
from replfix.core.gtid import GtidSet
from replfix.core.mariadb_gtid import MariadbGtidSet
from replfix.errors import ConnectError, ServerError
from replfix.lab import topology
from replfix.lab.accounts import Account
from replfix.lab.replication import channel_state, wait_until_applied, wait_until_stopped
from replfix.lab.state import Server
from replfix.lab.topology import Lab
from tests.integration.running import Ran, replfix

pytestmark = pytest.mark.servers

APPLICATION = Account("shop", "shop")
READ_ONLY = 1290
SHOP = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, amount INT)",
    "CREATE USER shop IDENTIFIED BY 'shop'",
    "GRANT SELECT, INSERT ON shop.* TO shop",
)


@pytest.fixture(scope="module", params=["dual-primary", "ring"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def circles(lab_state: Path, kind: str, any_server: str) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(lab_state))
        name = f"rollout-{kind}-{any_server.replace('.', '-')}"
        try:
            yield topology.up(name, topology=kind, server=any_server)
        finally:
            topology.down(name)


@pytest.fixture
def circle(circles: Lab) -> Lab:
    """Every server writes with the defaults, and all have the rows of the others."""
    for server in circles.servers:
        if not server_is_mariadb(server):
            run(server, "RESET PERSIST")
    circles.reset()
    run(circles.servers[0], *SHOP)
    settle(circles.servers)
    for server in circles.servers:
        run(server, "INSERT INTO shop.orders (amount) VALUES (1), (2), (3)")
        settle(circles.servers)
    return circles


def server_is_mariadb(server: Server) -> bool:
    with server.session() as session:
        return session.is_mariadb


def run(server: Server, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def settle(servers: Sequence[Server]) -> None:
    """Each of a circle has what every other one has."""
    for _ in servers:
        for source, replica in zip(servers, (*servers[1:], servers[0]), strict=True):
            wait_until_applied(source, replica)


def numbers(server: Server) -> list[int]:
    with server.session() as session:
        return [int(number) for (number,) in session.rows("SELECT id FROM shop.orders ORDER BY id")]


def advise(lab: Lab, *args: str) -> Ran:
    return replfix("advise", "--config", str(lab.config_file), "--json", *args)


def until(what: Callable[[], bool], why: str) -> None:
    for _ in range(600):
        if what():
            return
        time.sleep(0.05)
    pytest.fail(f"not within 30 s: {why}")


# --- the applications ---


class Application(threading.Thread):
    """Inserts on one server, in one session for as long as that lives. A server that is read-only is tried again."""

    def __init__(self, server: Server) -> None:
        super().__init__(daemon=True)
        self.server, self.session = server, server.session(APPLICATION)
        self.stop = threading.Event()
        self.ids: list[int] = []
        self.sessions, self.refused = 1, 0
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            while not self.stop.wait(0.01):
                self.insert(5)
        except Exception as error:
            self.failure = error

    def insert(self, rows: int) -> None:
        try:
            self.session.execute(f"INSERT INTO shop.orders (amount) VALUES {', '.join(['(1)'] * rows)}")
            self.ids.append(int(self.session.scalar("SELECT LAST_INSERT_ID()")))
        except ConnectError:  # killed
            self.session = self.server.session(APPLICATION)
            self.sessions += 1
        except ServerError as error:
            if error.errno != READ_ONLY:
                raise
            self.refused += 1


@contextmanager
def applications(servers: Sequence[Server]) -> Iterator[list[Application]]:
    found = [Application(server) for server in servers]
    try:
        yield found
    finally:
        for application in found:
            application.stop.set()
        for application in found:
            if application.is_alive():
                application.join()
            application.session.close()


# --- the operator ---


def carry_out(
    actions: list[dict[str, Any]], servers: Sequence[Server], before: Callable[[dict[str, Any]], None]
) -> None:
    """Each statement as it stands there, in a session for each server; then what it is to wait for."""
    named = {server.name: server for server in servers}
    for action in actions:
        before(action)
        asked = [named[name] for name in action["nodes"]]
        if not action["until"]:
            for server in asked:
                run(server, *action["sql"])
        else:
            wait_for(action["until"], action["sql"], asked)


def wait_for(wanted: str, statements: list[str], servers: Sequence[Server]) -> None:
    (statement,) = statements

    def answers() -> list[str]:
        found = []
        for server in servers:
            with server.session() as session:
                found.append(str(session.scalar(statement)))
        return found

    if "gtid" in statement:
        parse = MariadbGtidSet.parse if "binlog_state" in statement else GtidSet.parse
        if "the same" in wanted:
            until(lambda: len({str(parse(answer)) for answer in answers()}) == 1, wanted)
        else:
            first = parse(answers()[0])
            until(lambda: all(first <= parse(answer) for answer in answers()[1:]), wanted)
    elif "PROCESSLIST" in statement:
        for server in servers:
            end_sessions(server, statement)
    elif statement == "SHOW REPLICA STATUS":
        for server in servers:
            with server.session() as session:
                state = channel_state(session)
            assert state is not None
            assert state.receiver_running
            assert state.applier_running
    else:
        assert "VARIABLES" in statement


def end_sessions(server: Server, statement: str) -> None:
    with server.session() as session:

        def none_left() -> bool:
            listed = session.rows(statement)
            for row in listed:
                with suppress(ServerError):  # it has gone by itself
                    session.execute(f"KILL {int(row[0])}")
            return not listed

        until(none_left, "sessions that are older than the change")


# --- what is claimed ---


def test_writers_with_the_defaults_collide_as_often_as_simulated(circle: Lab) -> None:
    """While the appliers are stopped, so that each server has the longest lag that there is."""
    servers, rows = circle.servers[:2], 30
    start = len(numbers(servers[0])) + 1
    for server in circle.servers:
        run(server, "STOP REPLICA SQL_THREAD")
    for server in servers:
        run(server, *["INSERT INTO shop.orders (amount) VALUES (7)"] * rows)
    ours, theirs = (set(numbers(server)) for server in servers)
    new = [n for n in ours & theirs if n >= start]
    expected = simulate([Hand(start, Step(1, 1))] * 2, rows, in_flight=rows)
    assert len(new) == expected.collisions == rows
    for server in circle.servers:
        run(server, "START REPLICA SQL_THREAD")
    assert wait_until_stopped(servers[1]).errno == 1062


def test_the_plan_is_carried_out_without_a_collision(circle: Lab, kind: str, any_server: str) -> None:
    servers = circle.servers
    writers = len(servers)
    ran = advise(circle, "--writers", str(writers))
    assert ran.code == 3, ran.out + ran.err
    assert "same-numbers" in {finding["code"] for finding in ran.document["findings"]}
    plan = ran.document["plan"]
    assert plan["holds"]
    assert sum(each["collisions_now"] for each in plan["simulation"]) > 0
    assert sum(each["collisions_after"] for each in plan["simulation"]) == 0

    with applications(servers) as busy:  # their sessions have the old values
        had = max(numbers(servers[0]))

        def before(action: dict[str, Any]) -> None:
            if action["until"] == "all of them answer the same":
                # Until all are held they would collide, as they always could. From then on each of them tries all the time.
                for application in busy:
                    application.start()
                until(lambda: all(application.refused for application in busy), "the writes of all are held")
            if action["title"].startswith("Have every session"):
                until(lambda: any(len(application.ids) > 3 for application in busy), "one is written to")
                assert sum(bool(application.ids) for application in busy) == 1, "one alone, until all have new values"

        carry_out(plan["actions"], servers, before)
        for application in busy:
            so_far = len(application.ids)
            until(lambda a=application, n=so_far: len(a.ids) > n + 3 or a.failure, "all are written to again")  # type: ignore[misc]
        for application in busy:
            application.stop.set()
            application.join()
            assert application.failure is None
            assert application.refused > 0
            assert application.sessions >= 2, "the session of before the change was ended"

        rows = 100_000 if (kind, any_server) == ("dual-primary", "mysql") else 6_000
        batches = rows // writers // 500
        writing = [threading.Thread(target=lambda a=a: [a.insert(500) for _ in range(batches)]) for a in busy]  # type: ignore[misc]
        count = len(numbers(servers[0]))
        for thread in writing:
            thread.start()
        for thread in writing:
            thread.join()
        settle(servers)
        held = [numbers(server) for server in servers]
        assert all(ids == held[0] for ids in held), "each row is on each server"
        assert len(held[0]) >= count + batches * 500 * writers

        for application, place in zip(busy, plan["writers"], strict=True):
            step = place["then"]
            assert place["node"] == application.server.name
            assert all(n % step["increment"] == step["offset"] % step["increment"] for n in application.ids[-batches:])
            assert all(number > had for number in application.ids)
    for server in servers:
        with server.session() as session:
            state = channel_state(session)
            assert state is not None
            assert (state.applier_running, state.error) == (True, None)
    again = advise(circle, "--writers", str(writers))
    wrong = [f for f in again.document["findings"] if f["severity"] != "info" and f["code"] != "lost-on-restart"]
    assert wrong == []
    if any_server == "mysql":
        assert again.code == 0, again.out
        assert again.document["plan"]["actions"] == []
    else:  # SET GLOBAL: what the option file says, MariaDB does not tell
        assert {f["code"] for f in again.document["findings"]} == {"lost-on-restart"}
