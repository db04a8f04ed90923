"""A server that speaks the protocol as far as a test wants it to, and keeps what it was sent."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from replfix.core.connection.endpoint import Endpoint, Secret
from tests.integration.accounts.certificates import Certified
from tests.lying.listening import Listening, exactly

PASSWORD = "s3cret-and-l0ng"
NONCE = b"abcdefghijklmnopqrst"

_CAN = 0x0FFF_FFFF & ~(1 << 11) & ~(1 << 24)  # all but TLS and CLIENT_DEPRECATE_EOF
_CAN_TLS = 1 << 11
_LARGEST = 0xFFFFFF

Behaviour = Callable[["Peer"], None]
"""What the server does on one connection."""


class Peer:
    """The other end of one connection: packets go out and come in, numbered as the protocol wants it."""

    def __init__(self, server: FakeServer, sock: socket.socket) -> None:
        self._server = server
        self.sock = sock
        self.certified = server.certified
        self.received = b""
        self.number = 0

    def send(self, *payloads: bytes) -> None:
        pieces: list[bytes] = []
        for payload in payloads:
            while True:
                piece, payload = payload[:_LARGEST], payload[_LARGEST:]
                pieces += (len(piece).to_bytes(3, "little"), bytes([self.number]), piece)
                self.number = (self.number + 1) % 256
                if len(piece) < _LARGEST:
                    break
        self.sock.sendall(b"".join(pieces))

    def packet(self) -> bytes:
        """The next one that the client sends; EOFError when it has gone."""
        head = self._exactly(4)
        self.number = (head[3] + 1) % 256
        return self._exactly(int.from_bytes(head[:3], "little"))

    def _exactly(self, size: int) -> bytes:
        data = exactly(self.sock, size)
        self.received += data
        return data

    def greet(self, plugin: str, version: str = "9.7.4") -> bytes:
        """The handshake up to the client's answer, encrypted where both can; that answer."""
        can = _CAN | (_CAN_TLS if self.certified else 0)
        self.send(
            b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 7) + NONCE[:8] + b"\0"
            + struct.pack("<HBHHB", can & 0xFFFF, 255, 2, can >> 16, 21) + bytes(10) + NONCE[8:] + b"\0" + plugin.encode() + b"\0"
        )  # fmt: skip
        answer = self.packet()
        if self.certified and int.from_bytes(answer[:4], "little") & _CAN_TLS and len(answer) == 32:
            self.sock = self._server.encrypted(self.sock, self.certified)
            answer = self.packet()
        return answer

    def switch_to(self, plugin: str, data: bytes = NONCE + b"\0") -> bytes:
        """The client's answer to a request to sign in otherwise."""
        self.send(b"\xfe" + plugin.encode() + b"\0" + data)
        return self.packet()

    def ok(self) -> None:
        self.send(b"\0\0\0\2\0\0\0")

    def let_in(self) -> None:
        """Past the greeting, whoever it is."""
        self.greet("mysql_native_password")
        self.ok()

    def result(self, names: Sequence[str], rows: Iterator[Sequence[str | None]], *, ends: bool = True) -> None:
        """The answer to a statement; rows may come for ever."""
        self.send(bytes([len(names)]), *map(_column, names), _EOF)
        for row in rows:
            self.send(b"".join(b"\xfb" if value is None else _lenenc(value.encode()) for value in row))
        if ends:
            self.send(_EOF)


_EOF = b"\xfe\0\0\2\0"


def _lenenc(data: bytes) -> bytes:
    size = len(data)
    return (bytes([size]) if size < 251 else b"\xfd" + size.to_bytes(3, "little")) + data


def _column(name: str) -> bytes:
    shown = name.encode()
    return (
        b"".join(map(_lenenc, (b"def", b"", b"", b"", shown, shown)))
        + b"\x0c"
        + struct.pack("<HIBHBH", 45, 1024, 253, 0, 0, 0)
    )


class FakeServer(Listening):
    """Behaves so on each connection; ``received`` is all that came, decrypted."""

    def __init__(self, behaviour: Behaviour, certified: Certified | None = None) -> None:
        super().__init__()
        self._behaviour, self.certified = behaviour, certified
        self.peers: list[Peer] = []

    @property
    def received(self) -> bytes:
        return b"".join(peer.received for peer in self.peers)

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("127.0.0.1", self.port, "replfix", Secret(PASSWORD))

    def meet(self, client: socket.socket) -> None:
        self.peers.append(peer := Peer(self, client))
        self._behaviour(peer)


@contextmanager
def statements(peer: Peer) -> Iterator[Callable[[], str]]:
    """Let in, with a function that gives the next statement."""
    peer.let_in()
    yield lambda: peer.packet()[1:].decode("utf-8", "replace")
