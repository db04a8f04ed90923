"""PyMySQL's connection, guarded: what a server may ask for, how long it may take and how much it may send.

Source for what is refused: the MySQL clients, which do the same (sql-common/client_authentication.cc of 9.7: error 2061 without
encryption, clear text only with ``--enable-cleartext-plugin``). PyMySQL 1.2.4 answers every server that asks.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from ssl import SSLContext, SSLSocket
from typing import TYPE_CHECKING, Any

import pymysql
from pymysql.constants import CLIENT, CR
from pymysql.cursors import Cursor
from pymysql.protocol import MysqlPacket

from replfix.core.connection.endpoint import Endpoint
from replfix.core.connection.found_servers import Meets
from replfix.core.connection.limits import raised
from replfix.core.connection.tls import TlsMode
from replfix.deadline import Deadline, deadline
from replfix.errors import ConfigError, ConnectError, ReplfixError, Unreadable
from replfix.wire.result_rows import ResultRows

if TYPE_CHECKING:
    Connection = pymysql.connections.Connection[Cursor]  # generic in its stubs only
else:
    Connection = pymysql.connections.Connection

CONNECT_SECONDS = 5
"""For all of it: the network, TLS, the exchange that signs in, and the session's settings."""

MOST_TO_SIGN_IN = 1 << 20
"""Bytes that a server may send before it has let us in."""

_PER_PACKET = 64  # bytes that a row of one byte takes as values, at least
_AT_ONCE = 1 << 18
_HEAD, _LARGEST_PACKET = 4, 0xFFFFFF
_ERROR = b"\xff"
_CLEAR = (b"mysql_clear_password", b"dialog")
MISSING_PACKAGE = "pynacl"
"""In what the driver says of an account that signs in by ed25519, where it lacks that package."""
_OUTDATED = b"mysql_old_password"


class Guarded(Connection):
    """A connection of PyMySQL's with limits on bytes and time; ``settings`` are PyMySQL's.

    ``answer_seconds`` is what one answer may take from its statement to its last byte; without ``context`` nothing is
    encrypted.
    """

    # PyMySQL's, which its stubs do not name.
    _sock: Any
    _rfile: Any
    _next_seq_id: int
    _current_timeout: float
    _auth_plugin_name: str
    _force_close: Any
    _signed_in = False
    server_capabilities: int
    server_status: int
    _result: Any

    def __init__(
        self, endpoint: Endpoint, context: SSLContext | None, *, answer_seconds: float, **settings: Any
    ) -> None:
        self._endpoint = endpoint
        self._context = context
        self._answer_seconds = answer_seconds
        self._pinned: bytes | None = None
        self._sent_key: bytes | None = None
        self._begin(CONNECT_SECONDS, MOST_TO_SIGN_IN, "to let us in")
        super().__init__(
            host=endpoint.host,
            port=endpoint.port,
            user=endpoint.user or "",
            # As bytes: PyMySQL would encode text as latin-1, the server expects the session's character set.
            password=endpoint.password.reveal().encode() if endpoint.password else b"",
            unix_socket=endpoint.socket,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=answer_seconds,
            write_timeout=answer_seconds,
            defer_connect=True,
            ssl=context if endpoint.tls.mode is not TlsMode.PREFERRED else None,  # None: where the server can
            ssl_disabled=context is None,
            **settings,
        )
        if endpoint.sign_in.server_public_key_path:
            self._pinned = _public_key(endpoint.sign_in.server_public_key_path)
        self.connect()

    def _create_ssl_ctx(self, _: object) -> Any:
        meets = self._endpoint.meets
        return self._context if meets is None or self._context is None else _Introducing(self._context, meets)

    def _request_authentication(self) -> None:
        encrypts = self._context is not None and self.server_capabilities & CLIENT.SSL
        if self._endpoint.meets is not None and not encrypts and not self.unix_socket:
            self._endpoint.meets(None)
        super()._request_authentication()  # type: ignore[misc]

    # --- how long, and how much ---

    def _begin(self, seconds: float, most: int, what: str) -> None:
        """Allow so many seconds and bytes for ``what`` from now on, and no longer than the whole operation may take."""
        self._until = time.monotonic() + seconds
        self._operation = deadline()
        self._seconds, self._most, self._what, self._received = seconds, most, what, 0

    def _hurry(self) -> None:
        """OperationalError when the time is over; else nothing waits longer than what is left of it."""
        left = self._until - time.monotonic()
        if self._operation is not None:
            left = min(left, self._left_of(self._operation))
        if left <= 0:
            raise self._lost(f"{self._seconds:.0f} s were not enough for it {self._what}")
        most = min(left, self._answer_seconds)
        if self._sock is not None and not most <= self._current_timeout <= most + 1:  # not for every packet
            self._current_timeout = most
            self._sock.settimeout(most)

    def _left_of(self, operation: Deadline) -> float:
        """In seconds; ConnectError when it is over."""
        left = operation.until - time.monotonic()
        if left <= 0:
            self._force_close()
            hint = "Look at SHOW PROCESSLIST there for the reason."
            raise ConnectError(
                f"{operation.seconds:.0f} s were not enough {operation.what}: {self._endpoint} is not done with its answers.",
                f"{hint} {raised(operation.key, 'it may take longer')}" if operation.key else hint,
            )
        return left

    def _count(self, size: int) -> None:
        """Before anything is taken in. ConnectError when it is too much."""
        self._received += size + _PER_PACKET
        if self._received > self._most:
            self._force_close()
            raise ConnectError(*_too_large(self._endpoint, self._most, self._what, "answer_bytes" * self._signed_in))

    def _lost(self, why: str) -> pymysql.err.OperationalError:
        self._force_close()
        return pymysql.err.OperationalError(CR.CR_SERVER_LOST, why)

    # --- the driver's own steps, each within its limits ---

    def connect(self, sock: Any = None) -> None:
        """Connect and log in, within the limits."""
        self._signed_in = False
        with self._understood():
            super().connect(sock or self._reach())
            # Nothing comes before a statement is sent: the small buffer that PyMySQL reads through is empty.
            small, self._rfile = self._rfile, self._sock.makefile("rb", _AT_ONCE)
            small.close()
        self._signed_in = True

    def set_character_set(self, charset: str, collation: str | None = None) -> None:
        """Do as PyMySQL, but not with a statement of its own at connect where ``init_command`` names the character set."""
        if self._signed_in or not str(self.init_command).startswith("SET NAMES "):
            super().set_character_set(charset, collation)

    def _reach(self) -> socket.socket:
        """Connect as PyMySQL does, but to all addresses of a name within one deadline."""
        if self.unix_socket:
            self._secure = True  # it leaves no machine
            here = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                here.settimeout(CONNECT_SECONDS)
                here.connect(self.unix_socket)
            except OSError as error:
                here.close()
                raise _unreached(str(self.unix_socket), error) from None
            return here
        try:
            found = _addresses(self.host, self.port, self._until - time.monotonic())
        except OSError as error:
            raise _unreached(self.host, error) from None
        failed: OSError = TimeoutError("timed out")
        for family, kind, protocol, _, address in found:
            left = self._until - time.monotonic()
            if left <= 0:
                break
            there = socket.socket(family, kind, protocol)
            try:
                there.settimeout(left)
                there.connect(address)
            except OSError as error:
                there.close()
                failed = error
                continue
            there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            there.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return there
        raise _unreached(self.host, failed)

    def _execute_command(self, command: int, sql: str | bytes) -> None:
        if self._signed_in:  # before, it is one deadline for all
            self._begin(self._answer_seconds, self._endpoint.limits.answer_bytes, "to answer a statement")
            if self._operation is not None:
                self._left_of(self._operation)  # which may have ended the connection already
        super()._execute_command(command, sql)  # type: ignore[misc]

    def _read_query_result(self, unbuffered: bool = False) -> Any:
        with self._understood():
            self._result = None
            result = ResultRows(self)
            if unbuffered:
                result.init_unbuffered_query()
            else:
                result.read()
            self._result = result
            if result.server_status is not None:
                self.server_status = result.server_status
            return result.affected_rows

    @property
    def next_number(self) -> int:
        """The number that the next packet has to have."""
        return self._next_seq_id

    def arrived(self) -> bytes:
        """Return bytes that are there, at least one, without taking them."""
        return self._received_by(lambda: self._rfile.peek(1))

    def take(self, size: int, packets: int) -> None:
        """Take that many of these bytes, which are so many packets."""
        self._received += packets * (_PER_PACKET - _HEAD)
        self._count(size - _PER_PACKET)
        self._rfile.read(size)
        self._next_seq_id = (self._next_seq_id + packets) % 256

    def _read_ok_packet(self) -> Any:
        with self._understood():
            return super()._read_ok_packet()  # type: ignore[misc]

    def _read_packet(self, packet_type: Any = MysqlPacket) -> Any:
        parts = []
        while True:
            head = self._read_bytes(_HEAD)
            size = int.from_bytes(head[:3], "little")
            if head[3] != self._next_seq_id:
                # MariaDB's last words have the number 0, when it shuts down.
                raise self._lost("the connection ended" if head[3] == 0 else "a packet came out of its order")
            self._next_seq_id = (self._next_seq_id + 1) % 256
            self._count(size)
            parts.append(self._read_bytes(size))
            if size < _LARGEST_PACKET:
                break
        packet = packet_type(parts[0] if len(parts) == 1 else b"".join(parts), self.encoding)
        if packet.is_error_packet():
            packet.raise_for_error()
        return packet

    def _read_bytes(self, wanted: int) -> bytes:
        piece = self._some(wanted)
        if len(piece) == wanted:
            return piece
        pieces = [piece]
        left = wanted - len(piece)
        while left:
            pieces.append(self._some(left))
            left -= len(pieces[-1])
        return b"".join(pieces)

    def _some(self, most: int) -> bytes:
        """Return the bytes that are there, at least one."""
        return self._received_by(lambda: self._rfile.read1(min(most, _AT_ONCE))) if most else b""

    def _received_by(self, read: Callable[[], bytes]) -> bytes:
        self._hurry()
        try:
            piece = read()
        except TimeoutError:
            self._hurry()  # the operation's time may be over
            raise self._lost(f"nothing came for {self._current_timeout:.0f} s") from None
        except OSError as error:
            raise self._lost(str(error)) from error
        if not piece:
            raise self._lost("the server closed it")
        return piece

    def stream(
        self, command: int, body: bytes, *, largest: int, seconds: float, counts: Callable[[bytes], bool]
    ) -> Iterator[bytes]:
        """Yield what the server sends in answer to a command of the replication protocol, message by message.

        An error that the server sends in place of one is raised as the driver raises it. Unreadable for one above
        ``largest`` bytes; OperationalError where none that ``counts`` comes for so many ``seconds``. Read in large
        pieces: PyMySQL's two calls for each packet cost more than what is in most of them.
        """
        self._execute_command(command, body)
        self._begin(seconds, largest, "to send the next event")
        for message in self._messages(largest):
            if message[:1] == _ERROR:
                with self._understood():
                    pymysql.err.raise_mysql_exception(message)
            if counts(message):
                self._begin(seconds, largest, "to send the next event")
            yield message

    def _messages(self, largest: int) -> Iterator[bytes]:
        data, at, parts, whole = b"", 0, [], 0
        while True:
            left = len(data) - at
            size = int.from_bytes(data[at : at + 3], "little") if left >= _HEAD else 0
            missing = _HEAD + size - left
            if missing > 0:
                # Of a large packet exactly the rest, in one piece; else what there is.
                more = self._read_bytes(missing) if missing > _AT_ONCE else self._some(_AT_ONCE)
                data, at = data[at:] + more, 0
                continue
            whole += size
            if whole > largest:
                self._force_close()
                raise Unreadable(*_too_large(self._endpoint, largest, "in one event", "transaction_bytes"))
            at += _HEAD + size
            parts.append(data[at - size : at])
            if size < _LARGEST_PACKET:
                yield parts[0] if len(parts) == 1 else b"".join(parts)
                parts, whole = [], 0

    @contextmanager
    def _understood(self) -> Iterator[None]:
        """Raise what the driver fails on as an error of the server: it, or somebody between, broke the protocol."""
        try:
            yield
        except (pymysql.err.MySQLError, ReplfixError, OSError):
            raise
        except Exception as error:
            self._force_close()
            if MISSING_PACKAGE in str(error):
                raise  # here, and not on the server
            raise pymysql.err.OperationalError(
                CR.CR_MALFORMED_PACKET,
                f"it sent what is not its protocol ({type(error).__name__}: {str(error)[:80]})",
            ) from error

    # --- what it may ask for ---

    def _process_auth(self, plugin_name: bytes, auth_packet: Any, handler: Any = None) -> Any:
        if plugin_name == _OUTDATED:
            raise self._turned_down(
                "mysql_old_password", "It shows too much of the password.", "Give replfix another account."
            )
        if plugin_name in _CLEAR:
            name = plugin_name.decode()
            if not self._endpoint.sign_in.enable_cleartext_plugin:
                raise self._turned_down(
                    name,
                    "That shows it the password itself.",
                    "If it is the server that you think it is, and the account is one of LDAP, PAM or IAM: allow it for this server, with "
                    "enable_cleartext_plugin = true in its section of replfix.toml, or enable-cleartext-plugin=1 in its URL, beside "
                    "ssl-mode=VERIFY_IDENTITY.",
                )
            if not self._secure:
                raise self._turned_down(
                    name, "That shows the password to everybody on the way.", "Connect with ssl-mode=VERIFY_IDENTITY."
                )
        return super()._process_auth(plugin_name, auth_packet, handler)  # type: ignore[misc]

    @property
    def server_public_key(self) -> bytes | None:
        """The server's key: PyMySQL reads it before it encrypts a password with it, only on an unencrypted connection."""
        if self._pinned is not None:
            return self._pinned
        if not self._endpoint.sign_in.get_server_public_key:
            raise self._turned_down(
                self._auth_plugin_name or "caching_sha2_password",
                "Without encryption that takes a key of the server's, and nobody has named the right one.",
                "Connect encrypted, with ssl-mode=REQUIRED or better VERIFY_CA. Or name the server's key with "
                "server-public-key-path; get-server-public-key=1 takes the one that it sends, as the clients do.",
            )
        return self._sent_key

    @server_public_key.setter
    def server_public_key(self, key: bytes | None) -> None:
        """Keep the key that the server sent."""
        self._sent_key = key

    def _turned_down(self, plugin: str, why: str, hint: str) -> ConnectError:
        account = self._endpoint.user or "(none)"
        return ConnectError(
            f"{self._endpoint} wants the password of {account!r} by {plugin}. {why} It was not sent.", hint
        )


class _Introducing:
    """In place of an SSLContext: PyMySQL sends the account right after the handshake."""

    def __init__(self, context: SSLContext, meets: Meets) -> None:
        self._context, self._meets = context, meets

    def wrap_socket(self, sock: socket.socket, server_hostname: str) -> SSLSocket:
        wrapped = self._context.wrap_socket(sock, server_hostname=server_hostname)
        try:
            self._meets(wrapped.getpeercert(binary_form=True))
        except BaseException:
            wrapped.close()
            raise
        return wrapped


def _addresses(host: str, port: int, seconds: float) -> list[Any]:
    """Return what ``getaddrinfo`` gives, which itself waits as long as the machine's resolver does.

    resolv.conf: 5 s for each try.
    """
    found: SimpleQueue[list[Any] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            found.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = found.get(timeout=max(seconds, 0))
    except Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _too_large(endpoint: Endpoint, most: int, what: str, key: str) -> tuple[str, str]:
    return (
        f"{endpoint} sends more than {most:,} bytes {what}: replfix accepts no more.",
        f"Look at what it sends with the mysql client or mysqlbinlog. {raised(key) if key else ''}".strip(),
    )


def _unreached(where: str, error: OSError) -> pymysql.err.OperationalError:
    return pymysql.err.OperationalError(CR.CR_CONN_HOST_ERROR, f"Can't connect to MySQL server on {where!r} ({error})")


def _public_key(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise ConfigError(
            f"server-public-key-path: {path} cannot be read: {error.strerror}.", "Correct the path, or leave it out."
        ) from None
