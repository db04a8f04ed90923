"""Connections are encrypted and checked as asked, on real servers with certificates of the tests' own; every one of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from replfix.audit import SqlTrail
from replfix.core.connection.endpoint import Endpoint
from replfix.core.connection.sign_in import SignIn
from replfix.core.connection.tls import Tls, TlsMode
from replfix.core.trail.audit_record import RecordKind
from replfix.errors import AuditError, ConfigError, ConnectError, ReplfixError
from replfix.lab import scenarios
from replfix.lab.lab_accounts import ADMIN
from replfix.lab.lab_state import LabServer
from replfix.lab.topology import Lab
from replfix.mysql.connection.session import Session
from tests.integration.accounts.certificates import Authority, Certified
from tests.integration.running import replfix

NAME = "localhost"  # what the servers' certificate is for, beside 127.0.0.1, at which they answer too


@dataclass(frozen=True)
class Issued:
    authority: Authority
    stranger: Authority
    server: Certified
    client: Certified
    strange_client: Certified
    hidden: Certified  # its key has a passphrase


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Issued:
    directory = tmp_path_factory.mktemp("tls")
    authority, stranger = Authority(directory / "own", "tests"), Authority(directory / "other", "somebody else")
    return Issued(
        authority=authority,
        stranger=stranger,
        server=authority.certify("server", NAME),
        client=authority.certify("client"),
        strange_client=stranger.certify("client"),
        hidden=authority.certify("hidden", passphrase=b"sesame"),
    )


def use(server: LabServer, ca: str, certified: Certified) -> None:
    with server.session() as session:
        for name, file in (("ca", ca), ("cert", certified.certificate), ("key", certified.key)):
            session.execute(f"SET GLOBAL ssl_{name} = '{file}'")
        session.execute("ALTER INSTANCE RELOAD TLS")


@pytest.fixture
def certified(pair: Lab, issued: Issued) -> Iterator[Lab]:
    """Both servers with a certificate for ``localhost``, of the tests' own authority."""
    servers = (pair.source, pair.replica)
    before = [_files(server) for server in servers]
    try:
        for server in servers:
            use(server, str(issued.authority.ca), issued.server)
        yield pair
    finally:
        for server, (ca, certificate, key) in zip(servers, before, strict=True):
            with server.session() as session:
                session.execute("SET GLOBAL require_secure_transport = DEFAULT")
                session.execute("SET GLOBAL tls_version = DEFAULT")
            use(server, ca, Certified(Path(certificate), Path(key)))


def _files(server: LabServer) -> tuple[str, ...]:
    with server.session() as session:
        return tuple(map(str, session.rows("SELECT @@global.ssl_ca, @@global.ssl_cert, @@global.ssl_key")[0]))


def cipher(endpoint: Endpoint) -> str:
    with Session(endpoint) as session:
        return str(session.query("SHOW SESSION STATUS LIKE 'Ssl_cipher'")[0]["Value"])


def refused(endpoint: Endpoint, says: str, error: type[ReplfixError] = ConnectError) -> None:
    with pytest.raises(error, match=says) as caught:
        Session(endpoint)
    assert caught.value.hint
    assert type(caught.value) is error


def test_what_is_asked_for_is_what_is_had_or_it_is_said_why_not(certified: Lab, issued: Issued) -> None:
    by_address = certified.source.endpoint()
    by_name = replace(by_address, host=NAME)
    own, other = str(issued.authority.ca), str(issued.stranger.ca)

    def with_tls(endpoint: Endpoint, mode: TlsMode | None = None, **options: str) -> Endpoint:
        return replace(endpoint, tls=Tls(mode, **options))

    assert cipher(by_address)
    assert cipher(with_tls(by_address, TlsMode.REQUIRED))
    assert not cipher(replace(with_tls(by_address, TlsMode.DISABLED), sign_in=SignIn(get_server_public_key=True)))
    assert cipher(with_tls(by_address, TlsMode.REQUIRED, ssl_ca=other))  # not asked
    assert cipher(
        with_tls(by_address, TlsMode.PREFERRED, tls_version="TLSv1.2", ssl_cipher="ECDHE-ECDSA-AES128-GCM-SHA256")
    ) == ("ECDHE-ECDSA-AES128-GCM-SHA256")
    assert cipher(with_tls(by_address, ssl_ca=own))
    assert cipher(with_tls(by_name, TlsMode.VERIFY_IDENTITY, ssl_ca=own))
    refused(with_tls(by_address, TlsMode.VERIFY_IDENTITY, ssl_ca=own), "is for another name than '127.0.0.1'")
    refused(with_tls(by_name, ssl_ca=other), "is not trusted: .*ca.pem did not sign it")
    refused(with_tls(by_name, TlsMode.VERIFY_IDENTITY), "the authorities that this machine knows did not sign it")
    refused(with_tls(by_address, TlsMode.VERIFY_CA), "needs a certificate authority", ConfigError)
    refused(with_tls(by_address, ssl_ca="/nowhere/ca.pem"), "/nowhere/ca.pem cannot be read: No such file", ConfigError)
    refused(with_tls(by_address, ssl_ca=__file__), "test_tls.py cannot be used", ConfigError)
    refused(with_tls(by_address, ssl_cipher="NONE-OF-THESE"), "none of 'NONE-OF-THESE' is known", ConfigError)
    with certified.source.session() as session:
        session.execute("SET GLOBAL tls_version = 'TLSv1.3'")
        session.execute("ALTER INSTANCE RELOAD TLS")
        session.execute("SET GLOBAL require_secure_transport = ON")
    refused(with_tls(by_address, TlsMode.REQUIRED, tls_version="TLSv1.2"), "do not agree on how to encrypt")
    refused(with_tls(by_address, TlsMode.DISABLED), "accepts encrypted connections only")


def test_an_account_that_asks_for_a_certificate(certified: Lab, issued: Issued) -> None:
    with certified.source.session() as session:
        session.execute("CREATE USER strict IDENTIFIED BY 'pw' REQUIRE X509")
    account = replace(Endpoint.parse("mysql://strict:pw@localhost"), port=certified.source.port)
    assert cipher(replace(account, tls=_client(issued.client)))
    assert cipher(replace(account, tls=replace(_client(issued.client), ssl_mode=TlsMode.REQUIRED)))
    refused(account, "rejected the login of 'strict'")
    refused(
        replace(account, tls=_client(issued.strange_client)), "do not agree on how to encrypt|was lost|Lost connection"
    )
    refused(replace(account, tls=_client(issued.hidden)), "has a passphrase", ConfigError)
    mixed = Certified(issued.client.certificate, issued.strange_client.key)
    refused(replace(account, tls=_client(mixed)), "cannot be used: .*mismatch", ConfigError)
    refused(replace(account, tls=Tls(ssl_key=str(issued.client.key))), "ssl-key is given without", ConfigError)


def _client(certified: Certified) -> Tls:
    return Tls(ssl_cert=str(certified.certificate), ssl_key=str(certified.key))


def test_every_connection_of_a_repair_is_made_that_way(certified: Lab, issued: Issued, tmp_path: Path) -> None:
    """The servers let this account in with a certificate only: one connection without it, and the run ends."""
    scenarios.find("duplicate-primary").stage(certified)
    for server in (certified.source, certified.replica):
        with server.session() as session:
            session.execute("SET sql_log_bin = 0")
            session.execute("SET GLOBAL super_read_only = OFF")
            session.execute("CREATE USER strict IDENTIFIED BY 'pw' REQUIRE X509")
            session.execute("GRANT ALL ON *.* TO strict")
            session.execute(f"SET GLOBAL super_read_only = {'ON' if server is certified.replica else 'OFF'}")
    options = tmp_path / "client.cnf"
    options.write_text(
        f"[client]\nuser=strict\npassword=pw\nssl-cert={issued.client.certificate}\nssl-key={issued.client.key}\n"
    )
    options.chmod(0o600)
    config = tmp_path / "replfix.toml"
    config.write_text(
        f'[defaults]\ndefaults_file = "client.cnf"\nssl_ca = "{issued.authority.ca}"\nssl_mode = "VERIFY_IDENTITY"\n'
        f'[replicas.db]\nhost = "{NAME}"\nport = {certified.replica.port}\n'
        f'source = "up"\n[sources.up]\nhost = "{NAME}"\nport = {certified.source.port}\n'
        f'[audit]\nurl = "sqlite:///{tmp_path}/audit.db"\n'
    )
    doctor = replfix("doctor", "--config", str(config), "--json")
    said = {check["code"]: check["message"] for check in doctor.document["checks"]}
    for role in ("replica", "source"):
        assert said[f"{role}-connection"].startswith(f"replfix's connection to the {role} is encrypted (TLSv1.3, ")
        assert said[f"{role}-connection"].endswith("its certificate is checked, and is for this host.")
    ran = replfix("resolve", "--config", str(config), "--yes", "--json")
    assert (ran.code, ran.document["outcome"]) == (0, "resolved"), ran.err
    wrong = config.with_name("wrong.toml")
    wrong.write_text(config.read_text().replace(str(issued.authority.ca), str(issued.stranger.ca)))
    ran = replfix("status", "--config", str(wrong), "--json")
    assert ran.code == 6
    assert "is not trusted" in ran.out


def test_a_trail_on_a_server_is_connected_to_that_way(certified: Lab, issued: Issued) -> None:
    with certified.source.session() as session:
        session.execute("CREATE DATABASE audit")
        session.execute("SET GLOBAL require_secure_transport = ON")
    url = f"mysql://{ADMIN.name}:{ADMIN.password}@{NAME}:{certified.source.port}/audit"

    def fill(options: str) -> None:
        with closing(SqlTrail.open(url + options)) as trail:
            trail.append(RecordKind.INTENT, incident="i", replica="r", channel="", payload={})

    fill(f"?ssl-mode=VERIFY_IDENTITY&ssl-ca={issued.authority.ca}")
    for options, says in {
        f"?ssl-ca={issued.stranger.ca}": "is not trusted",
        "?ssl-mode=DISABLED": "accepts encrypted connections only",
        "?ssl-ca=/nowhere": "/nowhere cannot be read",
    }.items():
        with pytest.raises(AuditError, match=says) as error:
            fill(options)
        assert ADMIN.password not in error.value.message.replace(ADMIN.name, "")
    with pytest.raises(ConfigError, match="not known"):
        fill("?sslmode=require")


def test_servers_without_tls(any_pair: Lab) -> None:
    """MariaDB 10.11 as it comes has none; the others make a certificate for themselves."""
    endpoint = any_pair.source.endpoint()
    encrypted = bool(cipher(endpoint))
    with any_pair.source.session() as session:
        assert encrypted is (session.scalar("SELECT VERSION()").startswith("10.11") is False)
    required = replace(endpoint, tls=Tls(TlsMode.REQUIRED))
    if encrypted:
        assert cipher(required)
    else:
        refused(required, "does not encrypt, and ssl-mode=REQUIRED asks for it")


def test_a_socket(any_pair: Lab) -> None:
    with any_pair.replica.session() as session:
        socket = str(session.scalar("SELECT @@global.socket"))
    endpoint = replace(any_pair.replica.endpoint(), socket=socket, port=1)
    assert not cipher(endpoint)  # it leaves no machine
    url = f"{any_pair.replica.url()}?socket={socket}"
    ran = replfix("status", "--replica", url, "--json")
    assert ran.code == 0, ran.err
    ran = replfix("status", "--replica", f"{any_pair.replica.url()}?socket=/nowhere/mysql.sock", "--json")
    assert ran.code == 6
    assert "127.0.0.1:/nowhere/mysql.sock" in ran.out
