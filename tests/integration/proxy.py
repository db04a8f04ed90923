"""A wire between replfix and one server that breaks at the n-th packet: an accident that can be repeated."""

from __future__ import annotations

import enum
import select
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType

_HEAD = 4  # of a packet: three bytes for its size, one for its number
_TLS_HEAD = 5  # of a record: its type, two bytes for the version, two for its size
_ASKS_FOR_TLS, _CAN_TLS = 32, 0x800  # the size of a client's packet that asks for it, and the capability that it names
_COMMANDS = {0x01: "Quit", 0x03: "Query", 0x12: "Binlog dump", 0x1E: "Binlog dump GTID"}


class Break(enum.StrEnum):
    """What happens to the packet, and to its connection."""

    DROP = "drop"  # it does not arrive; both ends see the end of the stream; nobody gets through any more
    RESET = "reset"  # it does not arrive; both ends see a reset
    HALVE = "halve"  # one half arrives, then both ends see the end of the stream
    LAST = "last"  # it arrives, then both ends see a reset
    STALL = "stall"  # it does not arrive, and nothing else, until the client goes away
    PASS = "pass"  # it arrives as it is, behind whatever else is done there
    BEND = "bend"  # an answer arrives with other bytes, and all goes on; a request does not arrive, as with RESET


class _Broken(OSError):
    """The end of one connection."""


class Proxy:
    """Listens on the loopback (``port``) and passes on to ``to``. With ``at``, the packet with that number (from 1, of all
    connections and both directions), or the first one whose name begins so, meets ``how``, and ``then`` is called
    before both ends see it; ``packets`` names those that came by. ``slowed``: seconds that the server takes longer for each answer.
    ``far``: seconds that everything is on its way, in each direction; ``connections`` counts those that were made."""

    def __init__(
        self,
        to: tuple[str, int],
        at: int | str = 0,
        how: Break = Break.DROP,
        then: Callable[[], None] = lambda: None,
        slowed: float = 0,
        far: float = 0,
    ) -> None:
        self.packets: list[str] = []
        self.connections = 0
        self._far = far
        self._to, self._at, self._how, self._then, self._slowed = to, at, how, then, slowed
        self._met = False
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._cut = False
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed
                return
            if self._cut:
                _end(client)
                continue
            try:
                server = socket.create_connection(self._to)
            except OSError:  # nobody listens there any more
                _end(client)
                continue
            self.connections += 1
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(each)
            self._start(self._pass_on, client, server)

    def _pass_on(self, client: socket.socket, server: socket.socket) -> None:
        """One thread for both directions: a socket that another one still reads from cannot be reset."""
        wire = _Wire()
        ends = {client: server, server: client}
        reset = False
        on_its_way: deque[tuple[float, socket.socket, bytes]] = deque()
        with suppress(OSError):
            while True:
                left = max(on_its_way[0][0] - time.monotonic(), 0) if on_its_way else None
                arriving = select.select(list(ends), [], [], left)[0]
                while on_its_way and on_its_way[0][0] <= time.monotonic():
                    _, there, packet = on_its_way.popleft()
                    there.sendall(packet)
                for here in arriving:
                    data = here.recv(1 << 16)
                    if self._slowed and here is server:
                        time.sleep(self._slowed)
                    for packet, name in wire.packets(data, to_server=here is client):
                        if self._meets(name):
                            if self._how is Break.PASS:
                                self._then()
                            elif self._how is Break.BEND and here is server:
                                packet = _bent(packet)
                                self._then()
                            else:
                                reset = self._break(packet, client, ends[here])
                                raise _Broken
                        if self._far:
                            on_its_way.append((time.monotonic() + self._far, ends[here], packet))
                        else:
                            ends[here].sendall(packet)
                    if not data:
                        for due, there, packet in on_its_way:
                            time.sleep(max(due - time.monotonic(), 0))
                            there.sendall(packet)
                        raise _Broken
        for each in ends:
            _end(each, reset=reset)

    def _meets(self, name: str) -> bool:
        """Whether this is the packet."""
        with self._lock:
            self.packets.append(name)
            broken = not self._met and (
                name.startswith(self._at) if isinstance(self._at, str) else len(self.packets) == self._at
            )
            self._met |= broken
            self._cut |= broken and self._how is Break.DROP
            return broken

    def _break(self, packet: bytes, client: socket.socket, there: socket.socket) -> bool:
        """Whether both ends are to see a reset."""
        if self._how is Break.STALL:
            while client.recv(1 << 16):  # until the client goes away
                pass
        if self._how in (Break.HALVE, Break.LAST):
            there.sendall(packet if self._how is Break.LAST else packet[: len(packet) // 2])
        self._then()
        return self._how in (Break.RESET, Break.LAST, Break.BEND)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        _end(self._listening)
        for each in list(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)  # its thread closes it
        for thread in self._threads:
            thread.join()


class _Wire:
    """Tells the packets of one connection apart and names them by the command that is on. From where the client asks for TLS,
    they are its records, and have numbers only."""

    def __init__(self) -> None:
        self._arrived = {True: b"", False: b""}
        self._command = "handshake"
        self._answers = 0
        self._records = 0
        self._encrypted = False

    def packets(self, data: bytes, *, to_server: bool) -> Iterator[tuple[bytes, str]]:
        """The whole ones, with what arrived of one before."""
        self._arrived[to_server] += data
        while size := self._size(self._arrived[to_server]):
            packet, self._arrived[to_server] = self._arrived[to_server][:size], self._arrived[to_server][size:]
            yield packet, self._name(packet, to_server)

    def _size(self, data: bytes) -> int:
        """Of the first packet, 0 when it is not all there."""
        if self._encrypted:
            head, size = _TLS_HEAD, int.from_bytes(data[3:_TLS_HEAD], "big")
        else:
            head, size = _HEAD, int.from_bytes(data[:3], "little")
        return head + size if len(data) >= head + size else 0

    def _name(self, packet: bytes, to_server: bool) -> str:
        if not to_server:
            self._answers += 1
            return f"answer {self._answers} to {self._command}"
        if self._encrypted:
            self._records += 1
            self._command, self._answers = f"record {self._records}", 0
        elif self._command == "handshake" and len(packet) == _HEAD + _ASKS_FOR_TLS:
            self._encrypted = bool(int.from_bytes(packet[_HEAD : _HEAD + 4], "little") & _CAN_TLS)
        elif packet[3] == 0 and packet[_HEAD] in _COMMANDS:  # the first of an exchange; those of a handshake are not
            text = packet[_HEAD + 1 :].decode(errors="replace") if packet[_HEAD] == 0x03 else ""
            self._command, self._answers = f"{_COMMANDS[packet[_HEAD]]} {' '.join(text.split())}"[:90].strip(), 0
        return self._command


def _bent(packet: bytes) -> bytes:
    """As long as it was, and nothing in it that it says."""
    return packet[:_HEAD] + bytes(byte ^ 0x55 for byte in packet[_HEAD:])


def _end(each: socket.socket, *, reset: bool = False) -> None:
    with suppress(OSError):
        if reset:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            each.shutdown(socket.SHUT_RDWR)  # wakes up whoever waits for it
    with suppress(OSError):
        each.close()
