"""The raw events of a server's binary log, asked for as a replica asks, on PyMySQL's connection."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import Any

import pymysql

from replfix.core.transaction_id import LogPosition
from replfix.errors import ConnectError, ReplicationError, ServerError
from replfix.mysql.connection import LOST_HINT, Session, statement_error

_COM_BINLOG_DUMP = 0x12
NON_BLOCK = 0x01  # the end of the log ends the stream
HEARTBEAT_NANOSECONDS = 10 * 10**9  # well below the session's read timeout: a long search sends no events
_FATAL_READING = 1236  # ER_SOURCE_FATAL_ERROR_READING_BINLOG
_FIRST_POSITION = 4
_ERROR, _EOF, _EOF_SIZE = b"\xff", b"\xfe", 9
_PACKET_HEAD, _LARGEST_PACKET = 4, 0xFFFFFF
_AT_ONCE = 1 << 18
# How 9.7 and MariaDB 10.11 say that a file, or what it held, is not there any more.
_GONE = ("purged", "Could not find first log file name in binary log index file")


@dataclass(frozen=True, slots=True)
class Request:
    """One command of the replication protocol."""

    command: int
    body: bytes


def server_id() -> int:
    """One that nobody has: that of another reader would end that one (error 1236 there)."""
    return random.randrange(2**31, 2**32 - 1)  # noqa: S311


def from_position(start: LogPosition, flags: int) -> Request:
    """COM_BINLOG_DUMP. Its position has 32 bits; a transaction never begins behind them, because max_binlog_size is 1 GiB
    at most and the log rotates behind the transaction that passes it."""
    return Request(
        _COM_BINLOG_DUMP,
        struct.pack("<IHI", max(start.pos, _FIRST_POSITION), flags, server_id()) + start.log_file.encode(),
    )


def raw_events(session: Session, request: Request) -> Iterator[bytes]:
    """Every event that the server sends, with header and checksum, until the end of its log.

    The session is used up: when the iteration stops early, close it. Raises
    :class:`~replfix.errors.ReplicationError` when the server cannot give what is asked for (error 1236: purged, GTIDs
    off, no binary log), :class:`~replfix.errors.PrivilegeError` without REPLICATION SLAVE,
    :class:`~replfix.errors.ConnectError` when the connection is lost.
    """
    # PyMySQL has no public call for a command of the replication protocol, nor its packets.
    connection: Any = session.connection
    try:
        connection._execute_command(request.command, request.body)
        connection._sock.settimeout(connection._read_timeout)
        for packet in _packets(connection._rfile):
            if packet[:1] == _ERROR:
                pymysql.err.raise_mysql_exception(packet)
            if packet[:1] == _EOF and len(packet) < _EOF_SIZE:
                return
            yield packet[1:]  # behind the OK byte
    except pymysql.err.MySQLError as error:
        raise _dump_error(session, error) from None
    except (OSError, EOFError) as error:
        raise ConnectError(f"The connection to {session.endpoint} was lost: {error}", LOST_HINT) from None


def _packets(file: BufferedReader) -> Iterator[bytes]:
    """The packets of the protocol, those of one message joined. PyMySQL reads them one by one, in two calls each, which
    costs more than what is in them; here the network is read in large pieces."""
    data, at, parts = b"", 0, []
    while True:
        left = len(data) - at
        size = int.from_bytes(data[at : at + 3], "little") if left >= _PACKET_HEAD else 0
        missing = _PACKET_HEAD + size - left
        if missing > 0:
            # Of a large packet exactly the rest, in one piece; else what there is.
            more = file.read(missing) if missing > _AT_ONCE else file.read1(_AT_ONCE)
            if not more:
                raise EOFError("the server closed it")
            data, at = data[at:] + more, 0
            continue
        at += _PACKET_HEAD + size
        parts.append(data[at - size : at])
        if size < _LARGEST_PACKET:
            yield parts[0] if len(parts) == 1 else b"".join(parts)
            parts = []


def _dump_error(session: Session, error: pymysql.err.MySQLError) -> Exception:
    told = statement_error(session.endpoint, error)
    if not isinstance(told, ServerError) or told.errno != _FATAL_READING:
        return told
    if any(words in told.text for words in _GONE):
        return purged(session, told.text)
    return ReplicationError(
        f"{session.endpoint} cannot send its binary log: {told.text}",
        "Check that this is the server that wrote the transaction, and its gtid_mode and log_bin.",
    )


def purged(session: Session, what: str) -> ReplicationError:
    return ReplicationError(
        f"{session.endpoint} has purged the binary log that is needed: {what}",
        "Read it from another server that still has it, or restore the replica from a backup; a longer "
        "binlog_expire_logs_seconds keeps binary logs for the next time.",
    )
