"""From raw bytes to checked events: headers, Format_description, checksums, the name of the log."""

from __future__ import annotations

import enum
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from replfix.errors import Unreadable
from replfix.mysql.binlog.events.buffer import Buffer


class EventType(enum.IntEnum):
    """The numbers of the events (libs/mysql/binlog/event/binlog_event.h, MySQL 9.7; MariaDB's from 160)."""

    START_V3 = 1
    QUERY = 2
    STOP = 3
    ROTATE = 4
    INTVAR = 5
    RAND = 13
    USER_VAR = 14
    FORMAT_DESCRIPTION = 15
    XID = 16
    BEGIN_LOAD_QUERY = 17
    EXECUTE_LOAD_QUERY = 18
    TABLE_MAP = 19
    PRE_GA_WRITE_ROWS = 20
    PRE_GA_UPDATE_ROWS = 21
    PRE_GA_DELETE_ROWS = 22
    WRITE_ROWS_V1 = 23
    UPDATE_ROWS_V1 = 24
    DELETE_ROWS_V1 = 25
    INCIDENT = 26
    HEARTBEAT = 27
    IGNORABLE = 28
    ROWS_QUERY = 29
    WRITE_ROWS = 30
    UPDATE_ROWS = 31
    DELETE_ROWS = 32
    GTID = 33
    ANONYMOUS_GTID = 34
    PREVIOUS_GTIDS = 35
    TRANSACTION_CONTEXT = 36
    VIEW_CHANGE = 37
    XA_PREPARE = 38
    PARTIAL_UPDATE_ROWS = 39
    TRANSACTION_PAYLOAD = 40
    HEARTBEAT_V2 = 41
    GTID_TAGGED = 42
    MARIADB_ANNOTATE_ROWS = 160
    MARIADB_BINLOG_CHECKPOINT = 161
    MARIADB_GTID = 162
    MARIADB_GTID_LIST = 163
    MARIADB_START_ENCRYPTION = 164
    MARIADB_QUERY_COMPRESSED = 165
    MARIADB_WRITE_ROWS_COMPRESSED_V1 = 166
    MARIADB_UPDATE_ROWS_COMPRESSED_V1 = 167
    MARIADB_DELETE_ROWS_COMPRESSED_V1 = 168


HEADER = struct.Struct("<IBIIIH")  # timestamp, type, server_id, size, log_pos, flags
HEADER_SIZE = HEADER.size
CHECKSUM_SIZE = 4
POSITIONS = 1 << 32  # in a log above 4 GB, the positions in event headers start again
IN_USE = 0x1  # LOG_EVENT_BINLOG_IN_USE_F: the server sets it in the file after the checksum was computed
ARTIFICIAL = 0x20  # LOG_EVENT_ARTIFICIAL_F: made up by the sender, of no log
IGNORABLE = 0x80  # LOG_EVENT_IGNORABLE_F: a reader that does not know the event may pass it over
_FLAGS_AT = 17

# The post-header lengths that this reader was written for, as a Format_description lists them.
_POST_HEADERS = {
    EventType.QUERY: 13,
    EventType.TABLE_MAP: 8,
    EventType.WRITE_ROWS_V1: 8,
    EventType.UPDATE_ROWS_V1: 8,
    EventType.DELETE_ROWS_V1: 8,
    EventType.WRITE_ROWS: 10,
    EventType.UPDATE_ROWS: 10,
    EventType.DELETE_ROWS: 10,
}


@dataclass(frozen=True, slots=True)
class FormatDescription:
    """What the first event of a log says about all others in it."""

    raw: bytes  # the whole event, in-use flag cleared and CRC32 valid: fit for a BINLOG statement
    server_version: str
    checksums: bool  # True: every event ends with a CRC32


@dataclass(frozen=True, slots=True)
class Event:
    """One event whose header and checksum were checked. ``log_file`` and ``format`` are those of its log."""

    type: int
    timestamp: int  # seconds since 1970
    server_id: int
    flags: int
    end_pos: int  # position after the event in its log
    raw: bytes  # with header and, when the log has checksums, CRC32
    body: bytes  # without either
    log_file: str
    format: FormatDescription

    @property
    def start_pos(self) -> int:
        """The event's position in its log."""
        return self.end_pos - len(self.raw)

    @property
    def name(self) -> str:
        """As MySQL calls it, e.g. ``Write_rows``; an unknown one by its number."""
        return type_name(self.type)

    @property
    def ignorable(self) -> bool:
        """Whether a reader that does not know the event may pass over it."""
        return bool(self.flags & IGNORABLE)

    def buffer(self) -> Buffer:
        """Return the event's body, to be read field by field."""
        return Buffer(self.body, f"The {self.name} event that ends at {self.log_file}:{self.end_pos}")

    def holding(self, number: int, body: bytes, *, header: tuple[int, int, int] | None = None) -> Event:
        """Return an event that was packed in this one, as it would be in the log itself: fit for a BINLOG statement.

        It ends where this one ends: in the log it has no place of its own. ``header``: its own timestamp, server_id and
        flags, those of this event if None.
        """
        timestamp, server_id, flags = header or (self.timestamp, self.server_id, self.flags)
        size = HEADER_SIZE + len(body) + (CHECKSUM_SIZE if self.format.checksums else 0)
        raw = HEADER.pack(timestamp, number, server_id, size, self.end_pos, flags) + body
        if self.format.checksums:
            raw += zlib.crc32(raw).to_bytes(CHECKSUM_SIZE, "little")
        return Event(number, timestamp, server_id, flags, self.end_pos, raw, body, self.log_file, self.format)


def type_name(number: int) -> str:
    """Return the name of an event type, for people."""
    try:
        return EventType(number).name.capitalize()
    except ValueError:
        return f"unknown (type {number})"


def _with_checksum(event: bytes) -> bool:
    """Return whether the last four bytes are the CRC32 of the others."""
    return zlib.crc32(event[:-CHECKSUM_SIZE]) == int.from_bytes(event[-CHECKSUM_SIZE:], "little")


def read_format(raw: bytes) -> FormatDescription:
    """Read a Format_description event; :class:`Unreadable` when it is damaged or of a layout not known here."""
    if len(raw) < HEADER_SIZE + 2 + 50 + 4 + 1 + 1 + CHECKSUM_SIZE:
        raise Unreadable("The Format_description event cannot be read: it ends too early.")
    flags = raw[_FLAGS_AT] & ~IN_USE
    cleared = raw[:_FLAGS_AT] + bytes([flags]) + raw[_FLAGS_AT + 1 :]
    fields = Buffer(cleared[HEADER_SIZE:-CHECKSUM_SIZE], "The Format_description event")
    if fields.uint(2) != 4:
        raise fields.damaged("its binlog version is not 4")
    version = fields.take(50).rstrip(b"\0").decode("utf-8", "replace")
    fields.take(4)  # created
    if fields.uint(1) != HEADER_SIZE:
        raise fields.damaged(f"its event headers do not have {HEADER_SIZE} bytes")
    *lengths, algorithm = fields.rest()
    if algorithm not in (0, 1):
        raise fields.damaged(f"its checksum algorithm {algorithm} is unknown (server version {version})")
    for number, length in enumerate(lengths, 1):
        expected = _POST_HEADERS.get(number)  # type: ignore[call-overload]
        if length and expected not in (None, length):  # 0: the server does not write this event (any more)
            raise fields.damaged(f"it gives {type_name(number)} events a header of {length} bytes")
    if algorithm and not _with_checksum(cleared):
        raise fields.damaged("its checksum is wrong")
    return FormatDescription(raw=cleared, server_version=version, checksums=bool(algorithm))


def events(raws: Iterable[bytes], log_file: str = "") -> Iterator[Event]:
    """Yield the events of a stream in order. :class:`Unreadable` for a damaged one.

    ``log_file``: the log that they are of until one of them names it. Heartbeats, Start_encryption, and the Rotate and
    Gtid_list events that the server makes up for the network only, are read and not handed on. Events without an end
    position (MariaDB 11 inside a transaction) end where their bytes do.
    """
    last = 0
    current: FormatDescription | None = None
    for raw in raws:
        if len(raw) < HEADER_SIZE:
            raise Unreadable(
                f"An event of {log_file or 'the binary log'} cannot be read: it is shorter than its header."
            )
        timestamp, number, server_id, size, log_pos, flags = HEADER.unpack_from(raw)
        if size != len(raw):
            raise Unreadable(
                f"The {type_name(number)} event that ends at {log_file}:{log_pos} says it has {size} bytes and has {len(raw)}."
            )
        if number in (EventType.HEARTBEAT, EventType.HEARTBEAT_V2):
            continue
        if number == EventType.MARIADB_GTID_LIST and flags & ARTIFICIAL:
            continue
        if number == EventType.MARIADB_START_ENCRYPTION:  # the server that sends it has decrypted what follows (10.11)
            last = log_pos
            continue
        if number == EventType.FORMAT_DESCRIPTION:
            current = read_format(raw)
            continue
        if number == EventType.ROTATE and (current is None or not log_pos):
            # Made up by the sender: whether it has a checksum depends on what came before, so it is asked itself.
            log_file = _next_file(raw[HEADER_SIZE : -CHECKSUM_SIZE if _with_checksum(raw) else None])
            continue
        if current is None:
            raise Unreadable(f"A {type_name(number)} event came before the Format_description of its log.")
        if current.checksums:
            if len(raw) < HEADER_SIZE + CHECKSUM_SIZE or not _with_checksum(raw):
                raise Unreadable(
                    f"The checksum of the {type_name(number)} event that ends at {log_file}:{log_pos} is wrong.",
                    "The binary log is damaged on disk, or was damaged on its way.",
                )
            body = raw[HEADER_SIZE:-CHECKSUM_SIZE]
        else:
            body = raw[HEADER_SIZE:]
        log_pos = last = log_pos or (last + size) % POSITIONS
        yield Event(number, timestamp, server_id, flags, log_pos, raw, body, log_file, current)


def _next_file(body: bytes) -> str:
    fields = Buffer(body, "A Rotate event")
    fields.take(8)
    return fields.rest().decode("utf-8", "replace")
