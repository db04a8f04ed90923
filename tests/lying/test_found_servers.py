"""A server that nobody named gets no account before its certificate is verified or agreed to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from replfix.config import KnownServers
from replfix.core.connection.tls import Tls, TlsMode
from replfix.errors import ConfigError, ConnectError
from replfix.lab.flavours import speaking
from replfix.lab.lab_accounts import REPL
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.accounts.certificates import Authority
from tests.integration.running import replfix
from tests.lying.fake import FakeServer, Peer

UUID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "replfix"


@pytest.fixture
def thieves(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority", "nobody knows it")


def signs_in(peer: Peer) -> None:
    peer.greet("mysql_native_password")
    peer.ok()
    while peer.packet():
        peer.ok()


class Asked:
    """The user: keeps the questions, and answers so."""

    def __init__(self, *answers: bool) -> None:
        self.questions: list[str] = []
        self._answers = list(answers)

    def __call__(self, question: str) -> bool:
        self.questions.append(question)
        return self._answers.pop(0)


def visit(server: FakeServer, asked: Asked, mode: TlsMode | None = None) -> None:
    found = replace(server.endpoint, found_in="the status of db2:3306", tls=Tls(ssl_mode=mode))
    Session(KnownServers(asked).introduced(found, UUID)).close()


def shown_an_account(server: FakeServer) -> bool:
    return b"replfix\0" in server.received


def test_it_is_agreed_to_once(thieves: Authority, state: Path) -> None:
    asked = Asked(True)
    with FakeServer(signs_in, thieves.certify("server")) as server:
        visit(server, asked)
        visit(server, asked)
        assert shown_an_account(server)
    (question,) = asked.questions
    assert "was found in the status of db2:3306, and nobody named it" in question
    assert UUID in question
    file = state / "known_servers"
    assert file.read_text().split()[:2] == [f"127.0.0.1:{server.port}", UUID]
    assert file.read_text().split()[2] in question
    assert (file.stat().st_mode & 0o777, state.stat().st_mode & 0o777) == (0o600, 0o700)


def test_who_does_not_agree_shows_nothing(thieves: Authority) -> None:
    with FakeServer(signs_in, thieves.certify("server")) as server:
        with pytest.raises(ConnectError, match=r"nobody has agreed to it: it is sent no account\.") as refused:
            visit(server, Asked(False))
        assert not shown_an_account(server)
    assert "--source URL" in refused.value.hint


def test_another_certificate_than_was_agreed_to(thieves: Authority) -> None:
    with FakeServer(signs_in, thieves.certify("server")) as server:
        visit(server, Asked(True))
        server.certified = thieves.certify("another")
        with pytest.raises(ConnectError, match="another one than was agreed to"):
            visit(server, Asked())
    with FakeServer(signs_in, thieves.certify("third")) as elsewhere:  # the same server_uuid at another address
        with pytest.raises(ConnectError, match="another one than was agreed to"):
            visit(elsewhere, Asked())
        assert not shown_an_account(elsewhere)


@pytest.mark.parametrize("mode", [TlsMode.DISABLED, TlsMode.PREFERRED])
def test_one_that_does_not_encrypt(mode: TlsMode) -> None:
    with FakeServer(signs_in) as server:
        with pytest.raises(ConnectError, match="does not encrypt, so it is unknown which server it is"):
            visit(server, Asked(True), mode)
        assert not shown_an_account(server)


def test_one_that_is_verified_is_not_asked_for(thieves: Authority) -> None:
    with FakeServer(signs_in, thieves.certify("server")) as server:
        found = replace(server.endpoint, found_in="somewhere", tls=Tls(ssl_ca=str(thieves.ca)))
        Session(KnownServers(Asked()).introduced(found)).close()
        assert shown_an_account(server)


def test_what_others_may_write_to_is_no_agreement(thieves: Authority, state: Path) -> None:
    with FakeServer(signs_in, thieves.certify("server")) as server:
        visit(server, Asked(True))
        (state / "known_servers").chmod(0o666)
        with pytest.raises(ConfigError, match="is not trusted"):
            visit(server, Asked())


@pytest.fixture
def led_astray(pair: Lab, thieves: Authority) -> Iterator[FakeServer]:
    """What the replica names as its source is somebody else."""
    with FakeServer(signs_in, thieves.certify("server")) as thief, pair.replica.session() as session:
        session.execute("STOP REPLICA")
        flavour = speaking(session)
        flavour.configure_channel(session, "127.0.0.1", thief.port, REPL)
        yield thief
        session.execute("STOP REPLICA")
        flavour.configure_channel(session, pair.source.host, pair.source.port, REPL)
        session.execute("START REPLICA")


def test_a_replica_that_names_a_thief_as_its_source(pair: Lab, led_astray: FakeServer) -> None:
    """Whatever the command: it is said, and the rest is done without it."""
    account = pair.replica.endpoint()
    assert account.password is not None
    url = f"mysql://{account.user}:{account.password.reveal()}@{account.host}:{account.port}"
    for command in (["diagnose"], ["resolve", "--yes"], ["doctor"], ["status"]):
        ran = replfix(*command, "--replica", url, "--json")
        assert ran.code != 0
        assert f"{account.user}\0".encode() not in led_astray.received, command
    said = replfix("doctor", "--replica", url)
    assert "it is sent no account" in " ".join(said.out.split()), said.out
