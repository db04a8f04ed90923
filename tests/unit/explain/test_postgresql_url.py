"""URLs of PostgreSQL servers: what libpq is given, and what nobody gets to see."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path

import pytest

from replfix.config import load
from replfix.core.connection.postgresql_server import PostgresqlServer, is_postgresql
from replfix.errors import ConfigError, ConnectError, UsageError
from replfix.postgresql.postgresql_session import PostgresqlSession
from replfix.wiring.servers import postgresql_inquiry


@pytest.mark.parametrize(
    ("url", "shown", "password"),
    [
        ("postgresql://", "PostgreSQL", False),
        ("postgres://ann@db/shop", "db/shop", False),
        ("postgresql://ann:s3cret@db:6432/shop?sslmode=verify-full", "db:6432/shop", True),
        ("postgresql://ann@a:1,b:2/shop", "a:1,b:2/shop", False),
        ("postgresql://[::1]:5433/shop", "[::1]:5433/shop", False),
        ("postgresql://ann@/shop?host=/run/pg&password=s3cret", "/run/pg/shop", True),
        ("postgresql://%2Frun%2Fpg/shop", "/run/pg/shop", False),
        ("postgresql:///?service=billing", "billing", False),
    ],
)
def test_a_url_shows_hosts_and_database(url: str, shown: str, password: bool) -> None:
    server = PostgresqlServer.parse(url)
    assert (str(server), server.has_password) == (shown, password)
    assert "s3cret" not in repr(server)
    assert server.url.reveal() == url


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:s3c@ret@db/shop",
        "postgresql://ann:s3c/ret@db/shop",
        "postgresql://ann:s3cret@db:http/shop",
        "postgresql://ann:s3cret@db:0/shop",
        "postgresql://ann:s3c?ret@db/shop",
        "postgresql://ann:s3c#ret@db/shop",
        "postgresql://ann:s3c]ret@[db/shop",
    ],
)
def test_a_wrong_url_is_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as error:
        PostgresqlServer.parse(url)
    assert "s3c" not in f"{error.value.message} {error.value.hint}"


def test_only_its_schemes_are_postgresqls() -> None:
    assert [is_postgresql(u) for u in ("POSTGRES://x", "mysql://x", "postgresql", "db2")] == [True, False, False, False]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('[postgresql.billing]\nurl = "postgresql://ann@db/shop"', ""),
        ('[postgresql.billing]\nurl = "postgresql://ann:s3cret@db/shop"', "password has no place"),
        ('[postgresql.billing]\nurl = "mysql://ann@db"', "not the URL of a PostgreSQL"),
        ('[replicas.billing]\nhost = "a"\n[postgresql.billing]\nurl = "postgresql://db"', "of a MySQL server too"),
    ],
)
def test_a_name_in_the_configuration(tmp_path: Path, text: str, wrong: str) -> None:
    file = tmp_path / "replfix.toml"
    file.write_text(text)
    if not wrong:
        assert str(load(str(file)).postgresql("billing", None)) == "db/shop"
        assert load(str(file)).postgresql("other", None) is None
        return
    with pytest.raises(ConfigError) as error:
        load(str(file))
    assert wrong in error.value.message
    assert "s3cret" not in error.value.message


def test_a_file_that_nobody_named_sends_no_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "replfix.toml").write_text('[postgresql.billing]\nurl = "postgresql://thief/shop"')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPLFIX_CONFIG", raising=False)
    with pytest.raises(ConfigError, match=r"postgresql\.billing"):
        load(None)


def test_without_its_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("bounded", "catalog", "postgresql_questions", "postgresql_session"):
        monkeypatch.delitem(sys.modules, f"replfix.postgresql.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    server = PostgresqlServer.parse("postgresql://db")
    with pytest.raises(UsageError) as error, postgresql_inquiry(server):
        pass
    assert "replfix[postgresql]" in error.value.hint


class Peer:
    """A server of one connection that wants the password in clear, over no encryption; what came is kept."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.received = b""
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"postgresql://ann:s3cret@127.0.0.1:{self._listening.getsockname()[1]}/shop?gssencmode=disable"

    def _serve(self) -> None:
        connection, _ = self._listening.accept()
        with connection:
            connection.settimeout(10)
            try:
                if connection.recv(8)[4:] == b"\x04\xd2\x16/":  # SSLRequest
                    connection.sendall(b"N")
                    connection.recv(4096)
                connection.sendall(self._answer)
                while piece := connection.recv(4096):
                    self.received += piece
            except OSError:
                return

    def ended(self) -> bytes:
        self._thread.join(10)
        self._listening.close()
        return self.received


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"R\0\0\0\x08\0\0\0\x03", "password in clear"),
        (b"R\0\0\0\x08\0\0\0\xff", "Cannot connect"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "Cannot connect"),
        (b"E\0\0\0\x36SFATAL\0C28P01\0Mauthentication failed for x\x1b[2J s\0\0", "rejected the login"),
    ],
    ids=["clear text", "unknown", "http", "refused"],
)
def test_a_server_that_lies_gets_no_password(answer: bytes, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGSSLMODE", "PGREQUIREAUTH", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    peer = Peer(answer)
    try:
        with pytest.raises(ConnectError, match=words) as error:
            PostgresqlSession(PostgresqlServer.parse(peer.url), lambda _: None)
    finally:
        received = peer.ended()
    assert "s3cret" not in error.value.message
    assert b"s3cret" not in received
