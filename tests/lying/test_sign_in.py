"""What a server gets to know of the password, whatever it asks for: no more than from the mysql client."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from replfix.core.connection.sign_in import SignIn
from replfix.core.connection.tls import Tls, TlsMode
from replfix.errors import ConnectError
from replfix.mysql.connection.session import Session
from tests.integration.accounts.certificates import Authority, Certified
from tests.lying.fake import PASSWORD, FakeServer, Peer

Asking = Callable[[Peer], None]

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
FULL = b"\x01\x04"  # caching_sha2_password: the fast way is not enough


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Certified:
    return Authority(tmp_path_factory.mktemp("thief") / "authority", "a thief").certify("server")


def clear(peer: Peer) -> None:
    peer.greet("mysql_clear_password")
    peer.switch_to("mysql_clear_password", b"")
    peer.ok()


def dialog(peer: Peer) -> None:
    peer.greet("mysql_native_password")
    peer.switch_to("dialog", b"\x04Password: ")
    peer.ok()


def clear_behind_another(peer: Peer) -> None:
    peer.greet("caching_sha2_password")
    peer.switch_to("mysql_clear_password", b"")
    peer.ok()


def old(peer: Peer) -> None:
    peer.greet("mysql_native_password")
    peer.switch_to("mysql_old_password", b"abcdefgh")
    peer.ok()


def caching_sha2(peer: Peer) -> None:
    peer.greet("caching_sha2_password")
    _in_full(peer)


def caching_sha2_behind_another(peer: Peer) -> None:
    peer.greet("mysql_native_password")
    peer.switch_to("caching_sha2_password")
    _in_full(peer)


def _in_full(peer: Peer) -> None:
    peer.send(FULL)
    if peer.packet() == b"\x02":
        peer.send(b"\x01" + PEM)
        peer.packet()
    peer.ok()


def sha256(peer: Peer) -> None:
    peer.greet("sha256_password")
    peer.send(b"\x01" + PEM)
    peer.packet()
    peer.ok()


def sha256_behind_another(peer: Peer) -> None:
    peer.greet("mysql_native_password")
    peer.switch_to("sha256_password")
    peer.send(b"\x01" + PEM)
    peer.packet()
    peer.ok()


WITHOUT_TLS = (
    clear, dialog, clear_behind_another, old, caching_sha2, caching_sha2_behind_another, sha256, sha256_behind_another
)  # fmt: skip


def known(server: FakeServer) -> bool:
    """Whether the server could read the password in what it was sent."""
    if PASSWORD.encode() in server.received:
        return True
    size = KEY.key_size // 8
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    for at in range(max(0, len(server.received) - size + 1)):
        try:
            KEY.decrypt(server.received[at : at + size], oaep)
        except ValueError:
            continue
        return True
    return False


@pytest.mark.parametrize("asking", WITHOUT_TLS, ids=lambda asking: asking.__name__)
def test_without_encryption_nothing_is_shown(asking: Asking) -> None:
    with FakeServer(asking) as server:
        with pytest.raises(ConnectError) as refused:
            Session(server.endpoint)
        assert not known(server)
    assert "It was not sent." in str(refused.value)
    assert refused.value.hint
    assert PASSWORD not in str(refused.value) + refused.value.hint


@pytest.mark.parametrize("asking", [clear, dialog, clear_behind_another, old], ids=lambda asking: asking.__name__)
@pytest.mark.parametrize("mode", [TlsMode.PREFERRED, TlsMode.REQUIRED])
def test_with_any_certificate_the_password_itself_is_not_shown(
    asking: Asking, mode: TlsMode, certified: Certified
) -> None:
    with FakeServer(asking, certified) as server:
        with pytest.raises(ConnectError, match="was not sent"):
            Session(replace(server.endpoint, tls=Tls(ssl_mode=mode)))
        assert not known(server)


def test_clear_text_where_it_is_allowed_by_name(certified: Certified) -> None:
    """… of this server, and only encrypted."""
    allowed = SignIn(enable_cleartext_plugin=True)
    with FakeServer(clear) as server:
        with pytest.raises(ConnectError, match="everybody on the way"):
            Session(replace(server.endpoint, sign_in=allowed))
        assert not known(server)
    with FakeServer(clear, certified) as server:
        with pytest.raises(ConnectError, match=r"lost|Cannot connect"):  # it lets us in and says no more
            Session(replace(server.endpoint, sign_in=allowed))
        assert known(server)


def test_a_key_where_it_is_allowed(tmp_path: Path) -> None:
    with FakeServer(caching_sha2) as server:
        with pytest.raises(ConnectError):
            Session(replace(server.endpoint, sign_in=SignIn(get_server_public_key=True)))
        assert known(server)
    file = tmp_path / "public.pem"
    file.write_bytes(PEM)
    with FakeServer(caching_sha2) as server:
        with pytest.raises(ConnectError):
            Session(replace(server.endpoint, sign_in=SignIn(server_public_key_path=str(file))))
        assert known(server)


@pytest.mark.parametrize("asking", [caching_sha2, sha256, sha256_behind_another], ids=lambda asking: asking.__name__)
def test_another_key_than_the_one_that_was_named_serves_nobody(asking: Asking, tmp_path: Path) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    file = tmp_path / "public.pem"
    file.write_bytes(other.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    with FakeServer(asking) as server:
        with pytest.raises(ConnectError):
            Session(replace(server.endpoint, sign_in=SignIn(server_public_key_path=str(file))))
        assert not known(server)


def ed25519(peer: Peer) -> None:
    peer.greet("mysql_native_password", "11.8.9-MariaDB")
    peer.switch_to("client_ed25519", bytes(32))
    peer.ok()


def parsec(peer: Peer) -> None:
    peer.greet("mysql_native_password", "11.8.9-MariaDB")
    peer.switch_to("parsec", bytes(32))
    peer.ok()


@pytest.mark.parametrize(
    ("asking", "said", "hint"),
    [
        (ed25519, "for an ed25519 signature", "pip install 'replfix[ed25519]'"),
        (parsec, "to log in by parsec, which replfix does not know", "mysql_native_password or ed25519"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_a_way_that_is_not_known_here_is_named(
    monkeypatch: pytest.MonkeyPatch, asking: Asking, said: str, hint: str
) -> None:
    """Accounts of MariaDB. The hint was to check the host and port, or that the server speaks another protocol."""
    monkeypatch.setitem(sys.modules, "nacl", None)
    monkeypatch.setattr("pymysql._auth._nacl_bindings", None)
    with FakeServer(asking) as server:
        with pytest.raises(ConnectError) as caught:
            Session(server.endpoint)
        assert not known(server)
    assert said in caught.value.message
    assert hint in caught.value.hint
