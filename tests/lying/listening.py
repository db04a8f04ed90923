"""The loopback's side of a server that somebody else plays: it listens, and meets each client in a thread of its own."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from tests.integration.accounts.certificates import Certified


class Listening:
    """``port``: where. Whoever derives from it says in ``meet`` what is done on one connection, until either end has gone."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []
        self._instead: dict[socket.socket, socket.socket] = {}  # of those that are encrypted now
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def meet(self, client: socket.socket) -> None:
        raise NotImplementedError

    def encrypted(self, client: socket.socket, certified: Certified) -> ssl.SSLSocket:
        """The connection from where the client asked for TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certified.certificate, certified.key)
        wrapped = context.wrap_socket(client, server_side=True)
        self._open.append(wrapped)
        self._instead[client] = wrapped
        return wrapped

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:  # closed
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._open.append(client)
            thread = threading.Thread(target=self._meet, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _meet(self, client: socket.socket) -> None:
        with suppress(OSError, EOFError):  # either end has gone
            self.meet(client)
        self._instead.pop(client, client).close()

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for each in (self._listening, *self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(10)


def exactly(sock: socket.socket, size: int) -> bytes:
    """So many bytes; EOFError when the other end has gone."""
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data
