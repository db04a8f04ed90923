"""The raw events of a server's binary log, asked for as a replica asks, on PyMySQL's connection."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import pymysql

from replfix.core.replication.transaction_id import LogPosition
from replfix.errors import ReplicationError, ServerError
from replfix.mysql.binlog.events.checked_events import EventType
from replfix.mysql.connection.session import Session, statement_error

_COM_BINLOG_DUMP = 0x12
NON_BLOCK = 0x01  # the end of the log ends the stream
HEARTBEAT_NANOSECONDS = 10 * 10**9  # well below the session's read timeout: a long search sends no events
SEARCH_SECONDS = 600
"""How long a server may search its binary log for the next event that was asked for; heartbeats are none."""
_FATAL_READING = 1236  # ER_SOURCE_FATAL_ERROR_READING_BINLOG
_FIRST_POSITION = 4
_EOF, _EOF_SIZE = b"\xfe", 9
_TYPE_AT = 5  # after the OK byte and the timestamp
_HEARTBEATS = tuple(bytes([kind]) for kind in (EventType.HEARTBEAT, EventType.HEARTBEAT_V2))
# How 9.7 and MariaDB 10.11 report that a file, or what was in it, is gone.
_GONE = ("purged", "Could not find first log file name in binary log index file")


@dataclass(frozen=True, slots=True)
class Request:
    """One command of the replication protocol."""

    command: int
    body: bytes


def server_id() -> int:
    """Return a server_id that nobody has: with that of another reader, the server would end that reader (error 1236 there)."""
    return random.randrange(2**31, 2**32 - 1)  # noqa: S311


def from_position(start: LogPosition, flags: int) -> Request:
    """Request COM_BINLOG_DUMP.

    Its position has 32 bits; a transaction never begins beyond them, because max_binlog_size is 1 GiB at most and the
    log rotates after the transaction that exceeds it.
    """
    return Request(
        _COM_BINLOG_DUMP,
        struct.pack("<IHI", max(start.pos, _FIRST_POSITION), flags, server_id()) + start.log_file.encode(),
    )


def raw_events(session: Session, request: Request) -> Iterator[bytes]:
    """Yield every event that the server sends, with header and checksum, until the end of its log.

    The session is used up: when the iteration stops early, close it. Raises :class:`~replfix.errors.ReplicationError`
    when the server cannot give what is asked for (error 1236: purged, GTIDs off, no binary log),
    :class:`~replfix.errors.PrivilegeError` without REPLICATION SLAVE, :class:`~replfix.errors.ConnectError` when the
    connection is lost.
    """
    try:
        for packet in session.connection.stream(
            request.command,
            request.body,
            largest=session.endpoint.limits.bytes,
            seconds=SEARCH_SECONDS,
            counts=_is_no_heartbeat,
        ):
            if packet[:1] == _EOF and len(packet) < _EOF_SIZE:
                return
            yield packet[1:]  # after the OK byte
    except pymysql.err.MySQLError as error:
        raise _dump_error(session, error) from None


def _is_no_heartbeat(packet: bytes) -> bool:
    return packet[_TYPE_AT : _TYPE_AT + 1] not in _HEARTBEATS


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
    """Return the error for a binary log that the server has purged."""
    return ReplicationError(
        f"{session.endpoint} has purged the binary log that is needed: {what}",
        "Read it from another server that still has it, or restore the replica from a backup; a longer "
        "binlog_expire_logs_seconds keeps binary logs for the next time.",
    )
