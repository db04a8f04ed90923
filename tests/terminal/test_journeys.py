"""Journeys of a person on call: the real command, in a real terminal, on real servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from replfix.lab import processes, scenarios, topology
from replfix.lab.lab_state import LabServer
from replfix.lab.proof import prove, snapshot
from replfix.lab.replicate import channel_state, executed
from replfix.lab.topology import Lab
from tests.integration.running import replfix
from tests.terminal.conftest import Open
from tests.terminal.terminal import Pyte, Terminal, best
from tests.waiting import until

SIZES = [(80, 24), (200, 60)]
QUESTION = "Apply the plan on replica1?"
sizes = pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")


@pytest.fixture
def broken(pair: Lab) -> Lab:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-primary").stage(pair)
    return pair


def audit(lab: Lab) -> list[dict[str, str]]:
    ran = replfix("audit", "export", "--config", str(lab.config_file))
    assert ran.code == 0, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def opened(terminal: Open, lab: Lab, size: tuple[int, int] = (120, 40), kind: type[Terminal] | None = None) -> Terminal:
    """The terminal UI on a lab whose replica is stopped: the incident opens by itself."""
    t = terminal("--config", str(lab.config_file), size=size, kind=kind)
    t.see("replica1: the default channel is stopped by error 1062", "shop.orders")
    return t


def rehearsed(t: Terminal) -> None:
    t.press("p")
    t.see("Not rehearsed yet")
    t.press("h")
    t.see("Rehearsed:")


def asked(t: Terminal) -> None:
    rehearsed(t)
    t.press("a")
    t.see(QUESTION, "Cancel", "shop.orders")


def confirmed(t: Terminal, table: str = "shop.orders") -> None:
    """Type the table's name, go to the button, press it."""
    t.press(*table)
    t.press("enter")
    t.focused("Apply")
    t.press("enter")
    assert t.goes(QUESTION)


def left(t: Terminal) -> None:
    t.press("q")
    assert t.ended() == 0
    assert "Traceback" not in t.screen


def runs(server: LabServer) -> bool:
    with server.session() as session:
        state = channel_state(session)
    return state is not None and state.applier_running and state.receiver_running


@sizes
def test_from_the_outage_to_a_resolved_channel_and_its_record(
    terminal: Open, broken: Lab, size: tuple[int, int]
) -> None:
    before = snapshot(broken.replica)
    t = opened(terminal, broken, size)
    asked(t)
    assert snapshot(broken.replica) == before, "the rehearsal left something changed"
    confirmed(t)
    t.see("Resolved", "verified")
    until(lambda: runs(broken.replica), "the channel runs")
    broken.wait_until_applied()
    wrong = [p for p in prove(broken.source, broken.replica, before) if not p.holds]
    assert not wrong

    t.press("escape")
    t.see("the default channel is running")
    t.press("escape")
    t.see("✔ running", "last action")
    t.press("A")
    t.see("intent", "outcome")
    intent = next(r for r in audit(broken) if r["kind"] == "intent")
    t.press("/")
    t.see("search")
    t.press(*"R-0001")  # the displaced row's order number
    t.see("1 of ")
    t.press("enter")
    t.press("enter")
    t.see("Record", intent["hash"][:12])
    while "R-0001" not in t.screen:  # below, on a small screen
        t.press("down")
        t.see("Record")
    assert replfix("audit", "verify", "--config", str(broken.config_file)).code == 0
    t.press("escape")
    t.see("1 of ")
    left(t)


def test_from_the_outage_to_a_resolved_channel_on_every_server(terminal: Open, any_pair: Lab) -> None:
    (any_pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("duplicate-primary").stage(any_pair)
    before = snapshot(any_pair.replica)
    t = opened(terminal, any_pair)
    asked(t)
    assert snapshot(any_pair.replica) == before, "the rehearsal left something changed"
    confirmed(t)
    t.see("Resolved", "verified")
    until(lambda: runs(any_pair.replica), "the channel runs")
    any_pair.wait_until_applied()
    assert not [p for p in prove(any_pair.source, any_pair.replica, before) if not p.holds]
    left(t)


@sizes
def test_cancelled_at_the_last_question(terminal: Open, broken: Lab, size: tuple[int, int]) -> None:
    before = snapshot(broken.replica)
    t = opened(terminal, broken, size)
    asked(t)
    t.focused("Cancel")
    t.press("enter")
    assert t.goes(QUESTION)
    t.press("a")
    t.see(QUESTION)
    t.press(*"shop.orders")
    t.press("escape")
    assert t.goes(QUESTION)
    left(t)
    assert snapshot(broken.replica) == before
    assert not runs(broken.replica)
    assert "intent" not in {r["kind"] for r in audit(broken)}


def test_the_plan_goes_stale_while_the_question_is_open(terminal: Open, broken: Lab) -> None:
    t = opened(terminal, broken)
    asked(t)
    t.press(*"shop.orders")
    # a colleague repairs it by hand meanwhile
    with broken.replica.session() as session:
        session.execute("SET sql_log_bin = 0")
        session.execute("SET GLOBAL super_read_only = OFF")
        session.execute("DELETE FROM shop.orders WHERE id = 5")
        session.execute("SET GLOBAL super_read_only = ON")
        session.execute("START REPLICA")
    t.see("cannot be applied any more", "runs now")
    t.press("enter")
    assert t.goes(QUESTION)
    t.see("does not fit any more")
    t.press("escape")
    t.see("the default channel is running")
    left(t)
    assert "intent" not in {r["kind"] for r in audit(broken)}


def test_a_row_changes_while_the_question_is_open(terminal: Open, broken: Lab) -> None:
    """No poll shows that: the workflow's own look finds it, and nothing is changed."""
    t = opened(terminal, broken)
    asked(t)
    with broken.replica.session() as session:
        session.execute("SET sql_log_bin = 0")
        session.execute("SET GLOBAL super_read_only = OFF")
        session.execute("UPDATE shop.orders SET note = 'changed since' WHERE id = 5")
        session.execute("SET GLOBAL super_read_only = ON")
    before = snapshot(broken.replica)
    confirmed(t)
    t.see("does not fit any more", "Something changed since the plan was shown")
    assert snapshot(broken.replica) == before
    left(t)


@pytest.fixture
def second(pair: Lab) -> Iterator[LabServer]:
    """A source of another lab, from which ``pair``'s replica reads too, by a channel of its own."""
    other = topology.up("second", 1)
    try:
        with pair.replica.session() as session:
            session.execute(
                f"CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {other.source.port}, "
                "SOURCE_USER = 'repl', SOURCE_PASSWORD = 'repl', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1, "
                "SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400 FOR CHANNEL 'second'"
            )
            session.execute("START REPLICA FOR CHANNEL 'second'")
        yield other.source
    finally:
        with pair.replica.session() as session:
            session.execute("STOP REPLICA FOR CHANNEL 'second'")
            session.execute("RESET REPLICA ALL FOR CHANNEL 'second'")
        topology.down("second")


def test_of_two_channels_only_the_failing_one_is_touched(terminal: Open, pair: Lab, second: LabServer) -> None:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    with second.session() as session:
        session.execute("CREATE DATABASE elsewhere")
        session.execute("CREATE TABLE elsewhere.t (id INT PRIMARY KEY, v VARCHAR(20))")
    scenarios.find("duplicate-primary").stage(pair)

    def others() -> str:
        with pair.replica.session() as session:
            return str(session.scalar("SELECT COUNT(*) FROM elsewhere.t"))

    t = opened(terminal, pair)
    with second.session() as session:
        session.execute("INSERT INTO elsewhere.t VALUES (1, 'while it stands')")
    until(lambda: others() == "1", "the healthy channel goes on")
    asked(t)
    confirmed(t)
    t.see("Resolved")
    with second.session() as session:
        session.execute("INSERT INTO elsewhere.t VALUES (2, 'afterwards')")
        theirs = executed(session)
    until(lambda: others() == "2", "the healthy channel still goes on")
    with pair.replica.session() as session:
        assert theirs <= executed(session)
        channels = {r["Channel_Name"]: r["Replica_SQL_Running"] for r in session.query("SHOW REPLICA STATUS")}
    assert channels == {"": "Yes", "second": "Yes"}
    t.press("escape")
    t.see("the default channel is running")
    t.press("escape")
    t.see("(default)", "second", "2 ✔ running")
    left(t)


def shut_down(server: LabServer) -> None:
    """To the end: until then it holds its files, and may still answer whoever starts it again."""
    with server.session() as session:
        session.execute("SHUTDOWN")
    process = server.process
    assert process is not None
    until(lambda: not processes.alive(process, server.data), "the server does not end")


KINDS: dict[str, type[Terminal]] = {kind.__name__: kind for kind in (Pyte, best())}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_source_cannot_be_reached(terminal: Open, broken: Lab, kind: type[Terminal]) -> None:
    """In each of the terminals there are: pyte also where tmux is, so that it works where it is needed."""
    shut_down(broken.source)
    t = terminal("--config", str(broken.config_file), kind=kind)
    screen = t.see("replica1", "Cannot connect to", str(broken.source.port))
    assert "Traceback" not in screen
    t.press("escape")
    t.see("✗ error", "1062")
    t.press("enter")
    t.see("Cannot connect to")
    topology.up(broken.name)  # it is back
    t.press("r")
    t.see("is stopped by error 1062", "source-wins (recommended)")
    left(t)


def test_the_replica_cannot_be_reached_and_comes_back(terminal: Open, pair: Lab) -> None:
    t = terminal("--config", str(pair.config_file))
    t.see("✔ running")
    shut_down(pair.replica)
    t.see("? unreachable")
    topology.up(pair.name)
    t.see("✔ running")
    left(t)


def test_the_next_failing_transaction_is_diagnosed_by_itself(terminal: Open, pair: Lab) -> None:
    (pair.directory / "audit.db").unlink(missing_ok=True)
    scenarios.find("two-in-a-row").stage(pair)
    t = opened(terminal, pair)
    asked(t)
    confirmed(t)
    t.see("stopped on a later one")
    t.press("escape")
    t.see("is stopped by error 1032", "shop.stock")
    rehearsed(t)
    t.press("a")
    t.see(QUESTION)
    assert "type" not in t.screen, "a row is put back, none is displaced"
    t.focused("Cancel")
    t.press("right")
    t.focused("Apply")
    t.press("enter")
    t.see("Resolved")
    until(lambda: runs(pair.replica), "the channel runs")
    left(t)


def test_outside_of_a_terminal_it_says_so(pair: Lab) -> None:
    ran = replfix("--config", str(pair.config_file))
    assert ran.code == 2
    assert "terminal" in ran.err


def test_it_shows_with_stderr_in_a_file(broken: Lab, terminal: Open, tmp_path: Path) -> None:
    errors = tmp_path / "errors.txt"
    t = terminal("--config", str(broken.config_file), errors=errors)
    t.see("replica1: the default channel is stopped by error 1062", "shop.orders")
    left(t)
    assert errors.read_text() == ""
