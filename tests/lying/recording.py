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
from types import TracebackType

_HEAD = 4
_LARGEST = 0xFFFFFF
_QUERY, _QUIT = 0x03, 0x01
_DUMPS = (0x12, 0x1E)

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


class Recorder:
    """Between a client and a server of the loopback that do not encrypt; ``recorded`` is complete when it has ended."""

    def __init__(self, port: int) -> None:
        self.recorded = Recorded()
        self._to = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._listen, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _listen(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._to))
        asked: str | None = None
        said = b""
        signing_in = True
        with suppress(OSError), client, server:
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

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(10)


class Replayer:
    """Says again what was recorded, whoever asks with whatever password, bent as it is told."""

    def __init__(self, recorded: Recorded, bend: Bend) -> None:
        self._recorded, self._bend = recorded, bend
        self._told = 0
        self._turn: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.received = b""
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(client)
            thread = threading.Thread(target=self._talk, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _talk(self, client: socket.socket) -> None:
        with (
            suppress(OSError, EOFError, IndexError),
            client,
        ):  # who is bent may say nothing, where a command should stand
            greeting, *rest = self._recorded.greeting
            self._send(client, self._bent([greeting]), 0)
            number = self._packet(client)[0]
            for packet in rest:
                self._send(client, self._bent([packet]), number + 1)
                if packet[:1] not in (b"\0", b"\xff") and packet[:2] != b"\x01\x03":
                    number = self._packet(client)[0]
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
        head = self._exactly(client, _HEAD)
        payload = self._exactly(client, int.from_bytes(head[:3], "little"))
        self.received += payload
        return head[3], payload

    def _exactly(self, client: socket.socket, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = client.recv(size - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def __enter__(self) -> Replayer:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for each in (self._listening, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(10)
