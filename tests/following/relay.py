"""A port behind which another server seems to be: what a server greets with is changed, all else passes as it is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from replfix.lab.state import HOST


@contextmanager
def relay(port: int, said: bytes, instead: bytes) -> Iterator[int]:
    """Its port. ``instead`` is as long as ``said``: a packet begins with its length."""
    assert len(said) == len(instead)
    with socket.create_server((HOST, 0)) as listening:
        threading.Thread(target=_accept, args=(listening, port, said, instead), daemon=True).start()
        yield int(listening.getsockname()[1])


def _accept(listening: socket.socket, port: int, said: bytes, instead: bytes) -> None:
    with suppress(OSError):  # closed
        while True:
            client, _ = listening.accept()
            server = socket.create_connection((HOST, port))
            client.sendall(server.recv(4096).replace(said, instead))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=_pass, args=(one, other), daemon=True).start()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
