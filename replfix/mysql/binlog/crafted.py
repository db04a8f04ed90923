"""Row events made here, in the bytes that a BINLOG statement takes: a repair that fires no trigger and no cascade.

Seen on 9.7.4: an event is applied as the replica's own applier would, the row looked up by the primary key, else by a
unique key, else by the whole image; the flag for "no foreign key checks" keeps children where they are.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from replfix.core.row_event import ChangeKind
from replfix.core.table import Table
from replfix.core.values import NOT_LOGGED, RowImage
from replfix.errors import Unreadable
from replfix.mysql.binlog.encoders import Encoding, encoding
from replfix.mysql.binlog.log import CHECKSUM_SIZE, HEADER, HEADER_SIZE, EventType, read_format
from replfix.mysql.binlog.rows import STATEMENT_END

NO_FOREIGN_KEY_CHECKS = 0x2
_TABLE_ID = 1  # BINLOG maps tables anew for each statement
_TYPES = {
    ChangeKind.INSERT: EventType.WRITE_ROWS,
    ChangeKind.UPDATE: EventType.UPDATE_ROWS,
    ChangeKind.DELETE: EventType.DELETE_ROWS,
}


@dataclass(frozen=True, slots=True)
class Crafted:
    """Writes events for the tables of one server. ``format_description`` is an event of a server of its version."""

    format_description: bytes
    server_id: int
    timestamp: int  # seconds since 1970

    def change(self, table: Table, before: RowImage | None, after: RowImage | None) -> tuple[bytes, bytes]:
        """Table_map and rows event of one row's change; None for the image that an insert or delete does not have.

        Unreadable when a value cannot be written; ValueError when an image was not logged in full or fits no column.
        """
        columns = [encoding(column) for column in table.columns]
        kind = ChangeKind.DELETE if after is None else ChangeKind.INSERT if before is None else ChangeKind.UPDATE
        images = [image for image in (before, after) if image is not None]
        body = _TABLE_ID.to_bytes(6, "little")
        body += (STATEMENT_END | NO_FOREIGN_KEY_CHECKS).to_bytes(2, "little")
        body += (2).to_bytes(2, "little")  # no extra data
        body += _lenenc(len(columns))
        width = (len(columns) + 7) // 8
        body += ((1 << len(columns)) - 1).to_bytes(width, "little") * len(images)
        body += b"".join(_image(table, columns, image) for image in images)
        return self._event(EventType.TABLE_MAP, _table_map(table, columns)), self._event(_TYPES[kind], body)

    def _event(self, type_: int, body: bytes) -> bytes:
        checksum = read_format(self.format_description).checksums
        size = HEADER_SIZE + len(body) + (CHECKSUM_SIZE if checksum else 0)
        event = HEADER.pack(self.timestamp, type_, self.server_id, size, 0, 0) + body
        return event + zlib.crc32(event).to_bytes(CHECKSUM_SIZE, "little") if checksum else event


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


def _image(table: Table, columns: Sequence[Encoding], image: RowImage) -> bytes:
    nulls, values = 0, bytearray()
    for column, how, value in zip(table.columns, columns, image, strict=True):
        if value is NOT_LOGGED:
            raise ValueError(f"{table.name}.{column.name} is not known")
        if value is None:
            nulls |= 1 << column.ordinal
            continue
        try:
            values += how.encode(value)
        except (ValueError, OverflowError, KeyError, AttributeError, TypeError) as error:
            raise Unreadable(
                f"The value of {table.name}.{column.name} cannot be written as {column.column_type}: {error}."
            ) from None
    return nulls.to_bytes((len(columns) + 7) // 8, "little") + bytes(values)


def _lenenc(number: int) -> bytes:
    if number < 251:
        return bytes([number])
    return b"\xfc" + number.to_bytes(2, "little")
