"""TLS options mean what they mean to the MySQL and MariaDB clients, and the stronger place wins, option by option."""

from __future__ import annotations

from pathlib import Path

import pytest

from replfix.config import load
from replfix.config.option_file import read_option_file
from replfix.core.connection.tls import Tls, TlsMode, tls_of
from replfix.errors import ConfigError


@pytest.mark.parametrize(
    ("lines", "mode"),
    [
        ("", TlsMode.PREFERRED),
        ("ssl-mode=verify_identity", TlsMode.VERIFY_IDENTITY),
        ("ssl_mode = REQUIRED", TlsMode.REQUIRED),
        ("ssl-ca=/ca.pem", TlsMode.VERIFY_CA),
        ("ssl-capath=/cas", TlsMode.VERIFY_CA),
        ("ssl-ca=/ca.pem\nssl-mode=PREFERRED", TlsMode.PREFERRED),
        ("ssl", TlsMode.REQUIRED),
        ("ssl=1\nssl-verify-server-cert", TlsMode.VERIFY_IDENTITY),
        ("ssl-verify-server-cert=ON", TlsMode.VERIFY_IDENTITY),
        ("ssl-ca=/ca.pem\ndisable-ssl-verify-server-cert", TlsMode.REQUIRED),
        ("skip-ssl", TlsMode.DISABLED),
        ("ssl=0\nssl-verify-server-cert", TlsMode.DISABLED),
        ("ssl=0\nssl=1", TlsMode.REQUIRED),
        ("ssl\nskip-ssl", TlsMode.DISABLED),
        ("skip-ssl\nssl", TlsMode.REQUIRED),
        ("ssl=0\nssl-mode=REQUIRED", TlsMode.REQUIRED),
    ],
)
def test_the_mode_of_an_option_file(tmp_path: Path, lines: str, mode: TlsMode) -> None:
    file = tmp_path / "my.cnf"
    file.write_text(f"[client]\n{lines}\n[mysqld]\nssl-mode=DISABLED\n")
    assert read_option_file(file).tls.mode is mode


def test_every_option_is_read(tmp_path: Path) -> None:
    file = tmp_path / "my.cnf"
    file.write_text(
        "[client]\nssl-ca=/ca\nssl-capath=/dir\nssl-cert=/cert\nssl-key='/k#ey'\nssl-cipher=AES\ntls-version=tlsv1.3,TLSv1.2\n"
        "socket=/s\n"
    )
    read = read_option_file(file)
    assert read.tls == Tls(None, "/ca", "/dir", "/cert", "/k#ey", "AES", "tlsv1.3,TLSv1.2")
    assert (read.tls.versions, read.socket) == (("TLSv1.2", "TLSv1.3"), "/s")
    file.write_text("[client]\nsocket=/s\nprotocol=tcp\n")
    assert read_option_file(file).socket is None


def test_a_wrong_option_is_never_passed_over(tmp_path: Path) -> None:
    """The connection would be less safe than was asked for."""
    for line, says in {"ssl-mode=VERIFY": "ssl-mode is one of", "tls-version=TLSv1": "tls-version is TLSv1.2"}.items():
        file = tmp_path / "my.cnf"
        file.write_text(f"[client]\n{line}\n")
        with pytest.raises(ConfigError, match=says) as error:
            read_option_file(file)
        assert str(file) in error.value.message
        toml = tmp_path / "replfix.toml"
        name, _, value = line.partition("=")
        toml.write_text(f'[defaults]\n{name.replace("-", "_")} = "{value}"\n')
        with pytest.raises(ConfigError, match=says):
            load(str(toml))


def test_a_certificate_is_not_mixed_with_the_key_of_another_place() -> None:
    inner = Tls(ssl_ca="/ca", ssl_cert="/inner", ssl_key="/inner-key")
    assert Tls(ssl_cert="/outer").over(inner) == Tls(ssl_ca="/ca", ssl_cert="/outer")
    assert Tls(ssl_mode=TlsMode.REQUIRED).over(inner) == Tls(TlsMode.REQUIRED, "/ca", None, "/inner", "/inner-key")


def test_the_stronger_place_wins(tmp_path: Path) -> None:
    (tmp_path / "my.cnf").write_text(
        "[client]\nuser=dba\nssl-mode=REQUIRED\nssl-cipher=AES\nssl-ca=/file.pem\nsocket=/s\n"
    )
    toml = tmp_path / "replfix.toml"
    toml.write_text(
        '[defaults]\ndefaults_file = "my.cnf"\nssl_ca = "ca.pem"\n'
        '[replicas.one]\nhost = "one"\nssl_mode = "verify_identity"\nsource = "theirs"\n'
        '[replicas.two]\nhost = "localhost"\nsource = "own"\n'
        '[sources.theirs]\nhost = "x"\ntls_version = "TLSv1.3"\n[sources.own]\nhost = "y"\nuser = "other"\nsocket = "y.sock"\n'
    )
    config = load(str(toml))
    one, two = config.target("one"), config.target("two")
    expected = Tls(TlsMode.VERIFY_IDENTITY, str(tmp_path / "ca.pem"), ssl_cipher="AES")
    assert (one.replica.tls, one.replica.socket) == (expected, None)
    assert one.source is not None
    assert one.source.tls == Tls(tls_version="TLSv1.3").over(expected)  # visited as its replica is
    assert two.replica.socket == "/s"  # localhost, as the clients take it
    assert two.source is not None
    assert (two.source.tls.mode, two.source.socket) == (TlsMode.REQUIRED, str(tmp_path / "y.sock"))
    by_url = config.target(replica_url="mysql://localhost:3307?ssl-mode=DISABLED", source_url="mysql://z").replica
    assert (by_url.tls.mode, by_url.tls.ssl_ca, by_url.socket) == (TlsMode.DISABLED, str(tmp_path / "ca.pem"), None)
    assert config.audit_tls == two.replica.tls


def test_options_of_others_are_passed_over() -> None:
    assert tls_of({"user": "x", "ssl-crl": None, "port": "1"}) == Tls()
