"""The raw events of a transaction as a channel with replication filters applies them.

The applier filters by Table_map events; BINLOG in a session of its own does not filter at all (9.7.4), so what it gets has
to be filtered before.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator

from replfix.core.binlog.row_event import RawEvents
from replfix.core.schema.table import TableName
from replfix.mysql.binlog.events.buffer import Buffer
from replfix.mysql.binlog.events.checked_events import CHECKSUM_SIZE, HEADER_SIZE, EventType, read_format
from replfix.mysql.binlog.events.pieces import ended

AppliedAs = Callable[[TableName], TableName | None]

_TYPE_AT = 4
_SIZE_AT = 9
_ID_BYTES = 6
_NAMES_AT = HEADER_SIZE + _ID_BYTES + 2  # after the table's number and flags


def filtered(raw: RawEvents, applied_as: AppliedAs) -> RawEvents:
    """Without the tables that are None, the others under the name given."""
    checksums = read_format(raw.format_description).checksums
    statements = (tuple(_statement(events, applied_as, checksums)) for events in raw.statements)
    return RawEvents(raw.format_description, tuple(s for s in statements if s))


def _statement(events: tuple[bytes, ...], applied_as: AppliedAs, checksums: bool) -> Iterator[bytes]:
    kept: list[bytes] = []
    left_out: set[bytes] = set()
    for event in events:
        number = event[HEADER_SIZE : HEADER_SIZE + _ID_BYTES]
        if event[_TYPE_AT] == EventType.TABLE_MAP:
            name, behind = _names(event)
            renamed = applied_as(name)
            if renamed is None:
                left_out.add(number)
            else:
                left_out.discard(number)
                kept.append(event if renamed == name else _renamed(event, renamed, behind, checksums))
        elif number not in left_out:
            kept.append(event)
    if any(event[_TYPE_AT] != EventType.TABLE_MAP for event in kept):
        # The last rows event may be one that was left out: then the flag that closes the tables went with it.
        yield from kept[:-1]
        yield ended(kept[-1], checksums)


def _names(event: bytes) -> tuple[TableName, int]:
    """Return the table that a Table_map event names, and where its columns begin."""
    fields = Buffer(event[_NAMES_AT:], "A Table_map event")
    schema = fields.take(fields.uint(1))
    fields.take(1)
    table = fields.take(fields.uint(1))
    fields.take(1)
    return TableName(schema.decode(), table.decode()), len(event) - fields.left


def _renamed(event: bytes, name: TableName, behind: int, checksums: bool) -> bytes:
    rest = event[behind : -CHECKSUM_SIZE if checksums else None]
    spelled = b"".join(bytes([len(part)]) + part + b"\0" for part in (name.schema.encode(), name.name.encode()))
    size = _NAMES_AT + len(spelled) + len(rest) + (CHECKSUM_SIZE if checksums else 0)
    changed = event[:_SIZE_AT] + size.to_bytes(4, "little") + event[_SIZE_AT + 4 : _NAMES_AT] + spelled + rest
    return changed + zlib.crc32(changed).to_bytes(CHECKSUM_SIZE, "little") if checksums else changed
