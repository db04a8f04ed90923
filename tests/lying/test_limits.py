"""Servers that are silent, slow or do not come to an end: how long replfix waits, and how much it takes in."""

from __future__ import annotations

import functools
import itertools
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from replfix.core.connection.endpoint import Endpoint, Secret
from replfix.core.connection.limits import Limits
from replfix.deadline import within
from replfix.errors import ConnectError, ReplfixError, Unreadable
from replfix.lab import scenarios
from replfix.lab.topology import Lab
from replfix.mysql.binlog import stream
from replfix.mysql.binlog.events.checked_events import HEADER, EventType
from replfix.mysql.connection.session import Session
from replfix.wire import guarded
from tests.integration.proxy import Proxy
from tests.integration.running import replfix
from tests.lying.fake import PASSWORD, Behaviour, FakeServer, Peer, statements

PATIENCE = 1.0
"""Seconds in place of those that replfix gives a server."""
MOST = 1 << 20
pytestmark = pytest.mark.timeout(60)  # what waits for ever ends here, and nowhere else
MEMORY = 1 << 30
"""Bytes that a command may have in all, addresses and libraries included, that meets a server that sends without end."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "CONNECT_SECONDS", PATIENCE)
    monkeypatch.setattr(stream, "SEARCH_SECONDS", PATIENCE)


def silent(peer: Peer) -> None:
    peer.packet()


def in_drops(peer: Peer) -> None:
    """A greeting that comes byte by byte, each within any time that one read may take."""
    for byte in b"\x4a\0\0\0\x0a9.7.4" + bytes(1000):
        time.sleep(PATIENCE / 5)
        peer.sock.sendall(bytes([byte]))


def silent_behind_the_greeting(peer: Peer) -> None:
    peer.greet("mysql_native_password")
    peer.packet()


def silent_when_asked(peer: Peer) -> None:
    peer.let_in()
    peer.packet()  # SET NAMES
    peer.packet()


@pytest.mark.parametrize(
    "behaviour", [silent, in_drops, silent_behind_the_greeting, silent_when_asked], ids=lambda each: each.__name__
)
def test_connecting_takes_no_longer_than_it_may(behaviour: Behaviour) -> None:
    with FakeServer(behaviour) as server, pytest.raises(ConnectError):
        Session(server.endpoint)


def test_a_name_takes_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: asked.wait())
    with pytest.raises(ConnectError, match="the name was not resolved in time"):
        Session(Endpoint("db.example", 3306, "replfix", Secret(PASSWORD)))
    asked.set()


def answers(peer: Peer, then: Behaviour) -> None:
    """Lets us in, answers what sets the session up, and behaves so when it is asked for something."""
    with statements(peer) as statement:
        while not statement().startswith(("SELECT", "SHOW")):
            peer.ok()
    then(peer)


def row_by_row(peer: Peer) -> None:
    def rows() -> Iterator[list[str]]:
        for number in itertools.count():
            time.sleep(PATIENCE / 5)
            yield [str(number)]

    peer.result(["a"], rows())


def test_an_answer_takes_no_longer_than_it_may() -> None:
    with (
        FakeServer(lambda peer: answers(peer, row_by_row)) as server,
        Session(server.endpoint, read_seconds=PATIENCE) as session,
        pytest.raises(ConnectError, match="were not enough"),
    ):
        session.rows("SELECT a")


def heartbeats(peer: Peer) -> None:
    while True:
        time.sleep(PATIENCE / 5)
        body = b"binlog.000001"
        peer.send(b"\0" + HEADER.pack(0, EventType.HEARTBEAT, 1, HEADER.size + len(body), 4, 0) + body)


def always_in_time(peer: Peer) -> None:
    with statements(peer) as statement:
        while text := statement():
            time.sleep(PATIENCE / 5)
            if text.startswith(("SELECT", "SHOW")):
                peer.result(["a"], iter([["1"]]))
            else:
                peer.ok()


def test_an_operation_takes_no_longer_than_it_may() -> None:
    """Though each of its answers comes in time."""
    with FakeServer(always_in_time) as server, Session(server.endpoint, read_seconds=PATIENCE) as session:
        with pytest.raises(ConnectError, match="were not enough to look twice: 127") as told:  # noqa: SIM117
            with within(PATIENCE, "to look twice", "diagnose_seconds"), within(10 * PATIENCE, "to look"):
                while True:
                    session.rows("SELECT a")
        assert "diagnose_seconds in [limits]" in told.value.hint


def test_a_diagnosis_says_what_raises_its_limit(pair: Lab, tmp_path: Path) -> None:
    """Of servers that take their time: here the one, and a limit that is over at once."""
    staged = scenarios.find("duplicate-primary")
    staged.stage(pair)
    config = tmp_path / "replfix.toml"
    config.write_text(pair.config_file.read_text() + "\n[limits]\ndiagnose_seconds = 1\n")
    slow = Proxy(("127.0.0.1", pair.replica.port), slowed=PATIENCE / 20)
    text = config.read_text().replace(f"port = {pair.replica.port}", f"port = {slow.port}")
    config.write_text(text)
    with slow:
        ran = replfix("diagnose", "replica1", "--config", str(config), "--json")
    assert ran.code == 6, ran
    assert "1 s were not enough to diagnose the channel" in ran.document["error"]["message"]
    assert "diagnose_seconds in [limits]" in ran.document["error"]["hint"]


def test_heartbeats_are_no_events() -> None:
    with (
        FakeServer(lambda peer: answers_with_a_log(peer, heartbeats)) as server,
        Session(server.endpoint) as session,
        pytest.raises(ConnectError, match="next event"),
    ):
        list(stream.raw_events(session, stream.Request(0x12, b"")))


def endless_event(peer: Peer) -> None:
    while True:
        peer.sock.sendall(b"\xff\xff\xff" + bytes([peer.number]) + bytes(0xFFFFFF))
        peer.number = (peer.number + 1) % 256


def test_an_event_is_no_larger_than_it_may_be() -> None:
    behaviour = functools.partial(answers_with_a_log, log=endless_event)
    with (
        FakeServer(behaviour) as server,
        Session(replace(server.endpoint, limits=Limits(bytes=MOST))) as session,
        pytest.raises(Unreadable, match="bytes in one event"),
    ):
        list(stream.raw_events(session, stream.Request(0x12, b"")))


def answers_with_a_log(peer: Peer, log: Behaviour) -> None:
    peer.let_in()
    while (command := peer.packet())[:1] == b"\x03":
        peer.ok()
    assert command[:1] == b"\x12"
    log(peer)


def endless_greeting(peer: Peer) -> None:
    while True:
        peer.send(bytes(0xFFFFFF))


def endless_rows(peer: Peer) -> None:
    """Of one NULL each, which is what takes the most memory for what it is on the wire."""
    peer.result(["a"], iter(()), ends=False)
    while True:
        peer.send(*[b"\xfb"] * 10_000)


def endless_value(peer: Peer) -> None:
    peer.result(["a"], iter(()), ends=False)
    endless_event(peer)


def test_what_lets_us_in_is_no_larger_than_it_may_be() -> None:
    with FakeServer(endless_greeting) as server, pytest.raises(ConnectError, match="bytes to let us in"):
        Session(server.endpoint)


@pytest.mark.parametrize("endless", [endless_rows, endless_value], ids=lambda each: each.__name__)
def test_an_answer_is_no_larger_than_it_may_be(endless: Behaviour) -> None:
    with (
        FakeServer(lambda peer: answers(peer, endless)) as server,
        Session(replace(server.endpoint, limits=Limits(answer_bytes=MOST))) as session,
        pytest.raises(ConnectError, match="bytes to answer a statement"),
    ):
        session.rows("SELECT a")


@pytest.mark.parametrize("endless", [endless_greeting, endless_value], ids=lambda each: each.__name__)
def test_a_command_does_not_swell(endless: Behaviour) -> None:
    """The whole of it, with the limits that it has: it ends, with words, in the memory that it may have."""
    behaviour = endless if endless is endless_greeting else lambda peer: answers(peer, endless)
    with FakeServer(behaviour) as server:
        url = f"mysql://replfix:{PASSWORD}@127.0.0.1:{server.port}"
        ran = subprocess.run(
            [sys.executable, "-m", "replfix", "status", "--replica", url],
            capture_output=True, text=True, timeout=100, check=False,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
        )  # fmt: skip
    assert ran.returncode == 6, ran.stderr
    assert "bytes" in ran.stdout + ran.stderr
    assert PASSWORD not in ran.stdout + ran.stderr


def test_silent_servers_do_not_hold_up_the_others(pair: Lab, tmp_path: Path) -> None:
    """They are asked at once: each of them is silent until all three have been asked."""
    all_three = threading.Barrier(3)

    def met(peer: Peer) -> None:
        all_three.wait()
        silent(peer)

    with FakeServer(met) as one, FakeServer(met) as two, FakeServer(met) as three:
        config = tmp_path / "replfix.toml"
        servers = {"one": one.port, "two": two.port, "three": three.port, "good": pair.replica.port}
        lines = (
            f'[replicas.{name}]\nhost = "127.0.0.1"\nport = {port}\nsource = "it"\n' for name, port in servers.items()
        )
        config.write_text(
            f'[defaults]\nuser = "replfix"\ndefaults_file = "{pair.directory / "my.cnf"}"\n'
            f'[sources.it]\nhost = "127.0.0.1"\nport = {pair.source.port}\n' + "".join(lines)
        )
        ran = replfix("status", "--config", str(config), "--json", patience=PATIENCE)
    assert not all_three.broken
    assert ran.code == 6
    assert [replica["name"] for replica in ran.document["replicas"]] == ["good"]
    assert {each["name"] for each in ran.document["unreachable"]} == {"one", "two", "three"}


@pytest.mark.parametrize("cut", [b"\xff", b"\xff\x15", b"\xff\x15\x04", b"\xff\x15\x04#28"])
def test_an_error_in_place_of_a_log_that_is_cut(cut: bytes) -> None:
    with (
        FakeServer(lambda peer: answers_with_a_log(peer, lambda peer: peer.send(cut))) as server,
        Session(server.endpoint) as session,
        pytest.raises(ReplfixError) as told,
    ):
        list(stream.raw_events(session, stream.Request(0x12, b"")))
    assert str(told.value)
