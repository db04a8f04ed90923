"""The advisor's plan, carried out word by word on servers that are all written to, while applications go on trying."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from replfix.core.advisor.node import IncrementSetting
from replfix.core.advisor.simulation import IdAllocator, simulate
from replfix.core.replication.gtid import GtidSet
from replfix.core.replication.mariadb_gtid import MariadbGtidSet
from replfix.errors import ConnectError, ServerError
from replfix.lab import topology
from replfix.lab.lab_accounts import Account
from replfix.lab.lab_state import LabServer
from replfix.lab.replicate import channel_state, executed, wait_until_applied, wait_until_stopped
from replfix.lab.topology import Lab
from replfix.mysql.connection import terms
from tests.integration.running import Ran, replfix
from tests.waiting import until

pytestmark = pytest.mark.servers

APPLICATION = Account("shop", "shop")
BATCH = 500
READ_ONLY = 1290
KILLED = {1317, 1927}  # in the middle of a statement; MariaDB
SHOP = (
    "CREATE DATABASE shop",
    "CREATE TABLE shop.orders (id INT AUTO_INCREMENT PRIMARY KEY, amount INT)",
    "CREATE USER shop IDENTIFIED BY 'shop'",
    "GRANT SELECT, INSERT ON shop.* TO shop",
)


@contextmanager
def lab_of(name: str, server: str, state: Path) -> Iterator[Lab]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(state))
        lab = f"{name}-{server.replace('.', '-')}"
        try:
            yield topology.up(lab, topology=name, server=server)
        finally:
            topology.down(lab)


@pytest.fixture(scope="module")
def dual_primary(lab_state: Path, any_server: str) -> Iterator[Lab]:
    with lab_of("dual-primary", any_server, lab_state) as lab:
        yield lab


def as_found(circle: Lab) -> Lab:
    """Every server writes with the defaults, and all have the rows of the others."""
    forget_persisted(circle.servers)
    circle.reset()
    run(circle.servers[0], *SHOP)
    settle(circle.servers)
    for server in circle.servers:
        run(server, "INSERT INTO shop.orders (amount) VALUES (1), (2), (3)")
        settle(circle.servers)
    return circle


def forget_persisted(servers: Sequence[LabServer]) -> None:
    for server in servers:
        with server.session() as session:
            if not session.is_mariadb:
                session.execute("RESET PERSIST")


def run(server: LabServer, *statements: str) -> None:
    with server.session() as session:
        for statement in statements:
            session.execute(statement)


def settle(servers: Sequence[LabServer]) -> None:
    """Each of a circle has what every other one has."""
    for _ in servers:
        for source, replica in zip(servers, (*servers[1:], servers[0]), strict=True):
            wait_until_applied(source, replica, 120)


def numbers(server: LabServer) -> list[int]:
    with server.session() as session:
        return [int(number) for (number,) in session.rows("SELECT id FROM shop.orders ORDER BY id")]


def advise(lab: Lab, *args: str) -> Ran:
    return replfix("advise", "--config", str(lab.config_file), "--json", *args)


# --- the applications ---


class Application(threading.Thread):
    """Inserts on one server, in one session for as long as that lives. A server that is read-only is tried again."""

    def __init__(self, server: LabServer) -> None:
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
        except ConnectError:
            self.connect_anew()
        except ServerError as error:
            if error.errno in KILLED:
                self.connect_anew()
            elif error.errno == READ_ONLY:
                self.refused += 1
            else:
                raise

    def connect_anew(self) -> None:
        self.session = self.server.session(APPLICATION)
        self.sessions += 1


@contextmanager
def applications(servers: Sequence[LabServer]) -> Iterator[list[Application]]:
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
    actions: list[dict[str, Any]],
    servers: Sequence[LabServer],
    before: Callable[[dict[str, Any]], None],
    names: Mapping[str, LabServer] | None = None,
) -> None:
    """Each statement as it stands there, in a session for each server; then what it is to wait for."""
    named = names or {server.name: server for server in servers}
    for action in actions:
        before(action)
        asked = [named[name] for name in action["nodes"]]
        if not action["until"]:
            for server in asked:
                run(server, *action["sql"])
        else:
            wait_for(action["until"], action["sql"], asked)


def wait_for(wanted: str, statements: list[str], servers: Sequence[LabServer]) -> None:
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
                channels = [terms.current_names(row) for row in session.query(statement)]
            assert channels
            assert {c[f"Replica_{thread}_Running"] for c in channels for thread in ("IO", "SQL")} == {"Yes"}
    else:
        assert "VARIABLES" in statement


def end_sessions(server: LabServer, statement: str) -> None:
    with server.session() as session:

        def none_left() -> bool:
            listed = session.rows(statement)
            for row in listed:
                with suppress(ServerError):  # it has gone by itself
                    session.execute(f"KILL {int(row[0])}")
            return not listed

        until(none_left, "sessions that are older than the change")


# --- what is claimed ---


def test_writers_with_the_defaults_collide_as_often_as_simulated(dual_primary: Lab) -> None:
    """While the appliers are stopped: that is the longest lag that there is."""
    servers, rows = as_found(dual_primary).servers, 30
    start = len(numbers(servers[0])) + 1
    for server in servers:
        run(server, "STOP REPLICA SQL_THREAD")
    for server in servers:
        run(server, *["INSERT INTO shop.orders (amount) VALUES (7)"] * rows)
    ours, theirs = (set(numbers(server)) for server in servers)
    both = [number for number in ours & theirs if number >= start]
    assert (
        len(both) == simulate([IdAllocator(start, IncrementSetting(1, 1))] * 2, rows, in_flight=rows).collisions == rows
    )
    for server in servers:
        run(server, "START REPLICA SQL_THREAD")
    for server in servers:
        assert wait_until_stopped(server).errno == 1062


def test_two_writers_are_taken_apart_without_a_collision(dual_primary: Lab, any_server: str) -> None:
    carried_out(as_found(dual_primary), rows=100_000 if any_server == "mysql" else 10_000)


def test_three_writers_are_taken_apart_without_a_collision(lab_state: Path) -> None:
    with lab_of("ring", "mysql", lab_state) as ring:
        carried_out(as_found(ring), rows=6_000)


def test_servers_that_are_apart_get_room_while_all_are_written_to(dual_primary: Lab) -> None:
    """From 2/1 and 2/2 to 10/1 and 10/2: nobody is held, with old and new sessions side by side."""
    lab = as_found(dual_primary)
    for server, offset in zip(lab.servers, (1, 2), strict=True):
        run(server, "SET GLOBAL auto_increment_increment = 2", f"SET GLOBAL auto_increment_offset = {offset}")
    with applications(lab.servers) as busy:
        for application in busy:
            application.start()
            until_more_rows(application)
        plan = advise(lab, "--writers", "3").document["plan"]
        assert not plan["holds"]
        carry_out(plan["actions"], lab.servers, lambda _: None)
        for application in busy:
            until_more_rows(application)
            application.stop.set()
            application.join()
            assert (application.failure, application.refused) == (None, 0)
            assert application.sessions >= 2
    settle(lab.servers)
    for application, offset in zip(busy, (1, 2), strict=True):
        assert {number % 2 for number in application.ids} == {offset % 2}
        assert application.ids[-1] % 10 == offset
    assert advise(lab).code == 0


def test_sources_that_do_not_see_each_other_move_their_counters(lab_state: Path) -> None:
    """Of a replica of both: its rows are those of the one, and the other one would begin with the same numbers."""
    with lab_of("multi-source", "mysql", lab_state) as lab:
        east, west, replica = lab.servers
        run(east, *SHOP[:2], "INSERT INTO shop.orders (amount) VALUES (1), (2), (3)")
        with east.session() as session:
            wanted = str(executed(session))
        with replica.session() as session:
            assert session.scalar("SELECT WAIT_FOR_EXECUTED_GTID_SET(%s, 60)", [wanted]) == "0"
        run(west, "SET sql_log_bin = 0", *SHOP[:2], "SET sql_log_bin = 1",
            "CREATE TABLE shop.codes (code INT PRIMARY KEY)", "INSERT INTO shop.codes VALUES (1)")  # fmt: skip
        plan = advise(lab).document["plan"]
        named = {"east": east, "west": west, "replica1": replica}
        assert {place["node"] for place in plan["writers"]} | {"replica1"} == set(named)
        carry_out(plan["actions"], [east, west], lambda _: None, named)
        for _ in range(3):
            run(east, "INSERT INTO shop.orders (amount) VALUES (7), (7)")
            run(west, "INSERT INTO shop.orders (amount) VALUES (8), (8)")
        until(lambda: len(numbers(replica)) == 15, "all rows of both are on the replica")
        assert sorted(numbers(east) + numbers(west)) == numbers(replica)
        again = advise(lab)
        assert again.code == 0, again.out


def carried_out(circle: Lab, rows: int) -> None:
    """The plan for these servers, while applications try to write all the time; then so many rows from all sides."""
    servers = circle.servers
    ran = advise(circle)
    assert ran.code == 3, ran.out + ran.err
    assert "same-numbers" in {finding["code"] for finding in ran.document["findings"]}
    plan = ran.document["plan"]
    assert plan["holds"]
    assert sum(each["collisions_now"] for each in plan["simulation"]) > 0
    assert sum(each["collisions_after"] for each in plan["simulation"]) == 0

    had = max(numbers(servers[0]))
    with applications(servers) as busy:  # their sessions have the old values
        carry_out(plan["actions"], servers, lambda action: at_work(action, busy))
        for application in busy:
            until_more_rows(application)
            application.stop.set()
            application.join()
            assert application.failure is None
            assert application.sessions >= 2, "the session of before the change was ended"
        settle(servers)
        count = len(numbers(servers[0]))
        batches = rows // len(servers) // BATCH
        threads = [threading.Thread(target=write, args=(application, batches)) for application in busy]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        settle(servers)
        held = [numbers(server) for server in servers]
        assert len(held[0]) == count + batches * BATCH * len(servers)
        assert all(ids == held[0] for ids in held), "each row is on each server"
        for application, place in zip(busy, plan["writers"], strict=True):
            step = IncrementSetting(place["then"]["increment"], place["then"]["offset"])
            assert place["node"] == application.server.name
            assert all(step.gives(number) for number in application.ids[-batches:])
            assert all(number > had for number in application.ids)
    for server in servers:
        with server.session() as session:
            state = channel_state(session)
        assert state is not None
        assert (state.applier_running, state.error) == (True, None)
    again = advise(circle, "--writers", str(len(servers)))
    assert again.code == 0, again.out
    assert again.document["plan"]["actions"] == []


def at_work(action: dict[str, Any], busy: Sequence[Application]) -> None:
    """The applications begin when all writes are held: until then they would collide, as they always could."""
    if action["until"] == "all of them answer the same":
        for application in busy:
            application.start()
        until(lambda: all(application.refused for application in busy), "the writes of all are held")
    if action["title"].startswith("Reconnect every session"):
        until(lambda: any(len(application.ids) > 3 for application in busy), "one server is written to")
        assert sum(bool(application.ids) for application in busy) == 1, "one alone, until all have new values"


def until_more_rows(application: Application) -> None:
    before = len(application.ids)
    until(lambda: len(application.ids) > before + 3 or application.failure is not None, "all are written to again")


def write(application: Application, batches: int) -> None:
    for _ in range(batches):
        application.insert(BATCH)
