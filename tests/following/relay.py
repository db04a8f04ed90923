"""A port behind which a server seems to be another one, or to be asked from another address: all else passes as it is."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from replfix.lab.lab_state import HOST


@contextmanager
def relay(port: int, said: bytes = b"", instead: bytes = b"", *, asks_from: str = HOST) -> Iterator[int]:
    """Its port. Of what the server greets with, ``said`` is replaced; ``instead`` is as long: a packet begins with its length."""
    assert len(said) == len(instead)
    with socket.create_server((HOST, 0)) as listening:
        threading.Thread(target=_accept, args=(listening, port, said, instead, asks_from), daemon=True).start()
        yield int(listening.getsockname()[1])


def _accept(listening: socket.socket, port: int, said: bytes, instead: bytes, asks_from: str) -> None:
    with suppress(OSError):  # closed
        while True:
            client, _ = listening.accept()
            server = socket.create_connection((HOST, port), source_address=(asks_from, 0))
            client.sendall(server.recv(4096).replace(said, instead))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=_pass, args=(one, other), daemon=True).start()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with one:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for each in (one, other):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
