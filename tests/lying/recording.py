"""What real servers said, kept and said again: by whom it is asked, a server that somebody is between says it bent."""

from __future__ import annotations

import re
import select
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from tests.integration.accounts.certificates import Certified
from tests.lying.listening import Listening, exactly

_HEAD = 4
_LARGEST = 0xFFFFFF
_QUERY, _QUIT = 0x03, 0x01
_DUMPS = (0x12, 0x1E)
_ASKS_FOR_TLS, _CAN_TLS = 32, 0x800  # the size of a client's packet that asks for it, and the capability that it names

_DRAWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?<=max_execution_time = )\d+|(?<=max_statement_time = )[\d.]+"
)  # what replfix draws for itself, and how long it lets a server work

Bend = Callable[[int, list[bytes]], list[bytes]]
"""What becomes of the n-th answer (from 0, of all connections), a list of packets without their heads."""


def as_it_is(_: int, packets: list[bytes]) -> list[bytes]:
    return packets


def _packets(data: bytes) -> Iterator[bytes]:
    at = 0
    while at + _HEAD <= len(data):
        size = int.from_bytes(data[at : at + 3], "little")
        yield data[at + _HEAD : at + _HEAD + size]
        at += _HEAD + size


def _request(payload: bytes) -> str:
    """By which an answer is found again: a statement by its text, a dump by its command alone (its server_id is drawn)."""
    if payload[0] in _DUMPS:
        return f"dump {payload[0]}"
    return _DRAWN.sub("…", payload.decode("utf-8", "replace"))


@dataclass
class Recorded:
    """The greeting and what follows it until the account is in, and the answers to each request, in their order."""

    greeting: list[bytes] = field(default_factory=list)
    answers: dict[str, list[list[bytes]]] = field(default_factory=lambda: defaultdict(list))

    @property
    def count(self) -> int:
        return sum(map(len, self.answers.values()))

    @property
    def asked(self) -> list[str]:
        """The statements, and ``dump 30`` or so for a binary log, without what sets sessions up."""
        return [text for each in self.answers if not (text := each.removeprefix(chr(_QUERY))).startswith("SET ")]


class Recorder(Listening):
    """Between a client and a server of the loopback that do not encrypt; ``recorded`` is complete when it has ended."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.recorded = Recorded()
        self._to = port

    def meet(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._to))
        asked: str | None = None
        said = b""
        signing_in = True
        with server:
            while True:
                for here in select.select([client, server], [], [])[0]:
                    data = here.recv(1 << 20)
                    if not data:
                        self._keep(asked, said)
                        return
                    if here is server:
                        said += data
                        client.sendall(data)
                        continue
                    if data[3] == 0:  # a request: the first packet of an exchange
                        if signing_in:
                            self.recorded.greeting = self.recorded.greeting or list(_packets(said))
                            signing_in = False
                        else:
                            self._keep(asked, said)
                        payload = data[_HEAD:]
                        asked, said = _request(payload), b""
                    server.sendall(data)

    def _keep(self, asked: str | None, said: bytes) -> None:
        if asked is not None and said:
            self.recorded.answers[asked].append(list(_packets(said)))


class Replayer(Listening):
    """Says again what was recorded, whoever asks with whatever password, bent as it is told; ``certified``: encrypted too."""

    def __init__(self, recorded: Recorded, bend: Bend = as_it_is, certified: Certified | None = None) -> None:
        super().__init__()
        self._recorded, self._certified = recorded, certified
        self._lock = threading.Lock()
        self.received = b""
        self.begin(bend)

    def begin(self, bend: Bend) -> None:
        """As if nobody had asked it anything yet."""
        with self._lock:
            self._bend, self._told = bend, 0
            self._turn: dict[str, int] = defaultdict(int)

    def meet(self, client: socket.socket) -> None:
        with suppress(IndexError):  # who is bent may say nothing, where a command should stand
            self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        greeting, *rest = self._recorded.greeting
        self._send(client, self._bent([_with_tls(greeting, self._certified is not None)]), 0)
        number, answer = self._packet(client)
        if self._certified is not None and len(answer) == _ASKS_FOR_TLS:
            client = self.encrypted(client, self._certified)
            number, _ = self._packet(client)
        for packet in rest:
            self._send(client, self._bent([packet]), number + 1)
            if packet[:1] not in (b"\0", b"\xff") and packet[:2] != b"\x01\x03":
                number, _ = self._packet(client)
            else:
                number += 1
        while True:
            _, payload = self._packet(client)
            if payload[0] == _QUIT:
                return
            self._send(client, self._bent(self._answer(_request(payload))), 1)

    def _answer(self, asked: str) -> list[bytes]:
        with self._lock:
            answers = self._recorded.answers.get(asked)
            if not answers:
                return [
                    b"\xff"
                    + (1064).to_bytes(2, "little")
                    + b"#42000nobody has asked that before: "
                    + asked[:200].encode()
                ]
            turn = min(self._turn[asked], len(answers) - 1)
            self._turn[asked] += 1
            return answers[turn]

    def _bent(self, packets: list[bytes]) -> list[bytes]:
        with self._lock:
            number = self._told
            self._told += 1
        return self._bend(number, list(packets))

    def _send(self, client: socket.socket, packets: list[bytes], number: int) -> None:
        client.sendall(
            b"".join(
                len(packet).to_bytes(3, "little") + bytes([(number + n) % 256]) + packet
                for n, packet in enumerate(packets)
            )
        )

    def _packet(self, client: socket.socket) -> tuple[int, bytes]:
        head = exactly(client, _HEAD)
        payload = exactly(client, int.from_bytes(head[:3], "little"))
        self.received += payload
        return head[3], payload


def _with_tls(greeting: bytes, can: bool) -> bytes:
    """The greeting of a server that can encrypt, or cannot."""
    # Behind the version, the connection's number and the first part of the nonce.
    at = greeting.index(b"\0", 1) + 1 + 4 + 8 + 1
    low = int.from_bytes(greeting[at : at + 2], "little")
    low = low | _CAN_TLS if can else low & ~_CAN_TLS
    return greeting[:at] + low.to_bytes(2, "little") + greeting[at + 2 :]
