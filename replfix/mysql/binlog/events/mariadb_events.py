"""The events that only MariaDB writes, and how they come to the ones that both families have.

Source: sql/log_event.h and sql/log_event.cc of MariaDB 10.11 and 11.8, checked against their servers.
"""

from __future__ import annotations

import zlib

from replfix.core.connection.limits import Limits
from replfix.mysql.binlog.events.buffer import Buffer
from replfix.mysql.binlog.events.checked_events import Event, EventType
from replfix.mysql.binlog.events.gtids import Opening, at_seconds

_STANDALONE, _GROUP_COMMIT, _PREPARED_XA, _COMPLETED_XA = 0x01, 0x02, 0x40, 0x80
_ENGINES, _END_OF_ALTER, _THREAD_ID = 0x01, 0x0C, 0x10  # of the flags after them

_PLAIN = {
    EventType.MARIADB_QUERY_COMPRESSED: EventType.QUERY,
    EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1: EventType.WRITE_ROWS_V1,
    EventType.MARIADB_UPDATE_ROWS_COMPRESSED_V1: EventType.UPDATE_ROWS_V1,
    EventType.MARIADB_DELETE_ROWS_COMPRESSED_V1: EventType.DELETE_ROWS_V1,
}
COMPRESSED = frozenset(_PLAIN)


def opening(event: Event) -> Opening:
    """Read a Mariadb_gtid event. Without the STANDALONE flag it begins its transaction: no ``BEGIN`` follows."""
    fields = event.buffer()
    number = fields.uint(8)
    domain = fields.uint(4)
    flags = fields.uint(1)
    if flags & _GROUP_COMMIT:
        fields.take(8)
    xa_id = _xa_id(fields) if flags & (_PREPARED_XA | _COMPLETED_XA) else None
    return Opening(
        f"{domain}-{event.server_id}-{number}",
        at_seconds(event),
        exact=False,
        begins=not flags & _STANDALONE,
        xa_id=xa_id,
        thread_id=_thread_id(fields),
    )


def _thread_id(fields: Buffer) -> int | None:
    """Return the connection that wrote the transaction (11.5 and later)."""
    extra = fields.uint(1) if fields.left else 0
    if not extra & _THREAD_ID:
        return None
    fields.take((1 if extra & _ENGINES else 0) + (8 if extra & _END_OF_ALTER else 0))
    return fields.uint(4)


def _xa_id(fields: Buffer) -> str:
    """Return the XID as ``XA RECOVER FORMAT='SQL'`` writes it."""
    form, global_length, branch_length = fields.uint(4), fields.uint(1), fields.uint(1)
    return f"X'{fields.take(global_length).hex()}',X'{fields.take(branch_length).hex()}',{form}"


def plain(event: Event, transaction: str, limits: Limits) -> Event:
    """Return the event that a compressed one (``log_bin_compress=ON``) was before."""
    fields = event.buffer()
    if event.type == EventType.MARIADB_QUERY_COMPRESSED:
        fields.take(8)
        schema_length = fields.uint(1)
        fields.take(2)
        fields.take(fields.uint(2) + schema_length + 1)
    else:
        fields.take(8)
        columns = fields.lenenc()
        images = 2 if event.type == EventType.MARIADB_UPDATE_ROWS_COMPRESSED_V1 else 1
        fields.take((columns + 7) // 8 * images)
    head = event.body[: fields.at]
    return event.holding(_PLAIN[EventType(event.type)], head + _unpacked(fields, transaction, limits))


def _unpacked(fields: Buffer, transaction: str, limits: Limits) -> bytes:
    """Decompress: a byte (0x80, algorithm, width of the length), the length big-endian, the compressed bytes."""
    form = fields.uint(1)
    width = form & 0x07
    if form & 0xF8 != 0x80 or not 1 <= width <= 4:
        raise fields.damaged(f"replfix does not know its compression {form:#x}")
    size = int.from_bytes(fields.take(width), "big")
    limits.check(transaction, size=size)
    inflater = zlib.decompressobj()
    try:
        found: bytes = inflater.decompress(fields.rest(), size + 1)  # a byte more than it says would show
    except zlib.error as error:
        raise fields.damaged(f"its compressed part is damaged ({error})") from None
    if len(found) != size or not inflater.eof:
        raise fields.damaged("its compressed part does not have the size that it gives")
    return found
