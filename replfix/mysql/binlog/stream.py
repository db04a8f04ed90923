"""The raw events of a server's binary log, asked for as a replica asks: COM_BINLOG_DUMP_GTID on PyMySQL's connection."""

from __future__ import annotations

import random
import struct
import uuid
from collections.abc import Iterator
from typing import Any

import pymysql

from replfix.core.gtid import GtidSet
from replfix.errors import ConnectError, ReplicationError, ServerError
from replfix.mysql.binlog.gtids import encode
from replfix.mysql.connection import Session, statement_error

_COM_BINLOG_DUMP_GTID = 0x1E
_NON_BLOCK = 0x01  # the end of the log ends the stream
_THROUGH_GTID = 0x04
_HEARTBEAT_NANOSECONDS = 10 * 10**9  # well below the session's read timeout: a long search sends no events
_FATAL_READING = 1236  # ER_SOURCE_FATAL_ERROR_READING_BINLOG


def raw_events(session: Session, without: GtidSet) -> Iterator[bytes]:
    """Every event of the server's binary log that is not in a transaction of ``without``, with header and checksum.

    The session is used up: when the iteration stops early, close it. Raises
    :class:`~replfix.errors.ReplicationError` when the server cannot give what is asked for (error 1236: purged, GTIDs
    off, no binary log), :class:`~replfix.errors.PrivilegeError` without REPLICATION SLAVE,
    :class:`~replfix.errors.ConnectError` when the connection is lost.
    """
    _introduce(session)
    # PyMySQL has no public call for a command of the replication protocol, nor its packets.
    connection: Any = session.connection
    gtids = encode(without)
    # A server_id or UUID that another reader uses would end that one (error 1236 there).
    request = struct.pack("<HIIQI", _NON_BLOCK | _THROUGH_GTID, random.randrange(2**31, 2**32 - 1), 0, 4, len(gtids))  # noqa: S311
    try:
        connection._execute_command(_COM_BINLOG_DUMP_GTID, request + gtids)
        while True:
            packet = connection._read_packet()
            if packet.is_eof_packet():
                return
            data: bytes = packet.get_all_data()
            yield data[1:]  # behind the OK byte
    except pymysql.err.MySQLError as error:
        raise _dump_error(session, error) from None
    except OSError as error:
        raise ConnectError(f"The connection to {session.endpoint} was lost: {error}") from None


def _introduce(session: Session) -> None:
    """The settings that a replica makes before it asks; servers before 8.0.26 know the old names only."""
    name = uuid.uuid4()
    # 'CRC32' means "able to check": every file is then sent as it was written, whatever the server's setting is now.
    session.query(
        "SET @source_binlog_checksum = 'CRC32', @master_binlog_checksum = 'CRC32',"
        " @source_heartbeat_period = %s, @master_heartbeat_period = %s, @replica_uuid = %s, @slave_uuid = %s",
        [str(_HEARTBEAT_NANOSECONDS)] * 2 + [str(name)] * 2,
    )


def _dump_error(session: Session, error: pymysql.err.MySQLError) -> Exception:
    told = statement_error(session.endpoint, error)
    if not isinstance(told, ServerError) or told.errno != _FATAL_READING:
        return told
    if "purged" in told.text:
        return purged(session, told.text)
    return ReplicationError(
        f"{session.endpoint} cannot send its binary log: {told.text}",
        "Check gtid_mode and log_bin on that server.",
    )


def purged(session: Session, what: str) -> ReplicationError:
    return ReplicationError(
        f"{session.endpoint} has purged the binary log that is needed: {what}",
        "Read it from another server that still has it, or restore the replica from a backup; a longer "
        "binlog_expire_logs_seconds keeps binary logs for the next time.",
    )
