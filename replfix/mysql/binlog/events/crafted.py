"""Row events made here, in the bytes that a BINLOG statement takes: a repair that fires no trigger.

Seen on 9.7.4 and MariaDB 11.8: an event is applied as the replica's own applier would, the row looked up by the primary
key, else by a unique key, else by the whole image. Whether foreign keys are checked, and cascade, the event says and not
the session (9.7.4, MariaDB 11.8.6): these say no.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from replfix.core.binlog.row_event import ChangeKind
from replfix.core.rows.row_values import NOT_LOGGED, RowImage
from replfix.core.schema.table import Table
from replfix.errors import Unreadable
from replfix.mysql.binlog.columns import encoding
from replfix.mysql.binlog.columns.encoding import Encoding
from replfix.mysql.binlog.events.checked_events import CHECKSUM_SIZE, HEADER, HEADER_SIZE, EventType, read_format
from replfix.mysql.binlog.events.rows_events import NO_FOREIGN_KEY_CHECKS, STATEMENT_END

_TABLE_ID = 1  # BINLOG maps tables anew for each statement
_TYPES = {
    ChangeKind.INSERT: (EventType.WRITE_ROWS_V1, EventType.WRITE_ROWS),
    ChangeKind.UPDATE: (EventType.UPDATE_ROWS_V1, EventType.UPDATE_ROWS),
    ChangeKind.DELETE: (EventType.DELETE_ROWS_V1, EventType.DELETE_ROWS),
}


def obstacle(table: Table) -> str:
    """Return why no row events can be made for that table; empty when they can."""
    try:
        for column in table.columns:
            encoding(column)
    except Unreadable as error:
        return error.message
    return ""


@dataclass(frozen=True, slots=True)
class Crafted:
    """Writes events for the tables of one server. ``format_description`` is an event of a server of its family."""

    format_description: bytes
    server_id: int
    timestamp: int  # seconds since 1970

    def change(self, table: Table, before: RowImage | None, after: RowImage | None) -> tuple[bytes, bytes]:
        """Table_map and rows event of one row's change; None for the image that an insert or delete does not have.

        A row that is there is named by its key, where it has one, and of an update only what differs is written, as with
        binlog_row_image=MINIMAL. Unreadable when a value cannot be written or is not known.
        """
        if before is None and after is not None:
            table, after = _as_source_has_it(table, after)
        return self._change(table, before, after)

    def _change(self, table: Table, before: RowImage | None, after: RowImage | None) -> tuple[bytes, bytes]:
        format_ = read_format(self.format_description)
        current = "MariaDB" not in format_.server_version  # which writes events of version 1
        columns = [encoding(column, mariadb=not current) for column in table.columns]
        kind = ChangeKind.DELETE if after is None else ChangeKind.INSERT if before is None else ChangeKind.UPDATE
        images = []
        if before is not None:
            images.append((before, _naming(table, before)))
        if after is not None:
            images.append((after, _written(table, before, after)))
        width = (len(columns) + 7) // 8
        body = b"".join(sum(1 << o for o in present).to_bytes(width, "little") for _, present in images)
        body += b"".join(_image(table, columns, image, present) for image, present in images)
        head = _TABLE_ID.to_bytes(6, "little") + (STATEMENT_END | NO_FOREIGN_KEY_CHECKS).to_bytes(2, "little")
        head += (b"\2\0" if current else b"") + _lenenc(len(columns))  # no extra data: its length counts itself
        table_map = self._event(
            EventType.TABLE_MAP,
            _table_map(table, columns) + (_dimensions(table) if current else b""),
            format_.checksums,
        )
        return table_map, self._event(_TYPES[kind][current], head + body, format_.checksums)

    def _event(self, type_: int, body: bytes, checksum: bool) -> bytes:
        size = HEADER_SIZE + len(body) + (CHECKSUM_SIZE if checksum else 0)
        event = HEADER.pack(self.timestamp, type_, self.server_id, size, 0, 0) + body
        return event + zlib.crc32(event).to_bytes(CHECKSUM_SIZE, "little") if checksum else event


def _as_source_has_it(table: Table, image: RowImage) -> tuple[Table, RowImage]:
    """Return a new row with unknown own columns as the source would log it: the server fills the others."""
    kept = [c for c in table.columns if not c.own]
    if len(kept) == len(table.columns) or any(image[c.ordinal] is not NOT_LOGGED for c in table.columns if c.own):
        return table, image
    columns = tuple(replace(column, ordinal=ordinal) for ordinal, column in enumerate(kept))
    return replace(table, columns=columns, unique_keys=()), tuple(image[c.ordinal] for c in kept)


def _naming(table: Table, image: RowImage) -> Sequence[int]:
    """Return the columns by which the server finds the row."""
    for key in (table.own_identity, table.identity):
        if key is not None and not any(image[ordinal] is NOT_LOGGED for ordinal in table.ordinals(key)):
            return sorted(table.ordinals(key))
    return [c.ordinal for c in table.columns if not ((c.own or c.generated) and image[c.ordinal] is NOT_LOGGED)]


def _written(table: Table, before: RowImage | None, after: RowImage) -> Sequence[int]:
    every = [o for o, c in enumerate(table.columns) if not ((c.generated or c.own) and after[o] is NOT_LOGGED)]
    if before is None or table.own_identity is None:
        return every
    # MariaDB 10.11 works out no stored column anew from an after image that lacks some: it keeps the old value.
    return [o for o in every if before[o] != after[o] or table.columns[o].generated]


def _table_map(table: Table, columns: Sequence[Encoding]) -> bytes:
    metadata = b"".join(column.metadata for column in columns)
    nullable = sum(1 << column.ordinal for column in table.columns if column.nullable)
    body = _TABLE_ID.to_bytes(6, "little") + (1).to_bytes(2, "little")  # TM_BIT_LEN_EXACT_F
    for name in (table.name.schema, table.name.name):
        encoded = name.encode("utf-8")
        body += _lenenc(len(encoded)) + encoded + b"\0"
    body += _lenenc(len(columns)) + bytes(column.type for column in columns)
    body += _lenenc(len(metadata)) + metadata
    return body + nullable.to_bytes((len(columns) + 7) // 8, "little")


_VECTOR_DIMENSIONS = 13  # of the optional metadata
_VECTOR = re.compile(r"vector\((\d+)\)")


def _dimensions(table: Table) -> bytes:
    """Return the dimensions of VECTOR columns: MySQL rejects them without (error 1105, 9.7.4); MariaDB writes VARBINARY."""
    found = b"".join(_lenenc(int(match[1])) for c in table.columns if (match := _VECTOR.match(c.column_type.lower())))
    return bytes([_VECTOR_DIMENSIONS]) + _lenenc(len(found)) + found if found else b""


def _image(table: Table, columns: Sequence[Encoding], image: RowImage, present: Sequence[int]) -> bytes:
    nulls, values = 0, bytearray()
    for bit, ordinal in enumerate(present):
        column, value = table.columns[ordinal], image[ordinal]
        if value is None:
            nulls |= 1 << bit
            continue
        try:
            if value is NOT_LOGGED:
                raise ValueError("it is not known")
            values += columns[ordinal].encode(value)
        except (ValueError, OverflowError, KeyError, AttributeError, TypeError) as error:
            raise Unreadable(
                f"The value of {table.name}.{column.name} cannot be written as {column.column_type}: {error}."
            ) from None
    return nulls.to_bytes((len(present) + 7) // 8, "little") + bytes(values)


def _lenenc(number: int) -> bytes:
    if number < 251:
        return bytes([number])
    return b"\xfc" + number.to_bytes(2, "little")
