"""The Transaction_payload event: a whole transaction but its Gtid event, compressed.

Source: libs/mysql/binlog/event/compression and codecs (MySQL 9.7). After the header there are fields (type, length,
value, all length-encoded) until type 0, then the payload: events one after the other, without checksums.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import zstandard

from replfix.core.connection.limits import Limits
from replfix.mysql.binlog.events.buffer import Buffer
from replfix.mysql.binlog.events.checked_events import HEADER, HEADER_SIZE, Event

_END, _PAYLOAD_SIZE, _COMPRESSION, _UNCOMPRESSED_SIZE = range(4)
_ZSTD, _NONE = 0, 255
_READ_AT_ONCE = 1 << 20
_LARGEST_WINDOW = (
    1 << 27
)  # bytes of history that a frame may ask for: zstd's own limit, a server's frames want far less


def unpacked(event: Event, transaction: str, limits: Limits) -> Iterator[Event]:
    """Yield the events in a Transaction_payload event, decompressed as they are asked for.

    :class:`~replfix.errors.Unreadable` for an unknown compression, for more bytes than the limit, and when the events
    do not come out to the byte.
    """
    fields = event.buffer()
    sizes: dict[int, int] = {}
    while (kind := fields.lenenc()) != _END:
        value = Buffer(fields.take(fields.lenenc()), fields.what)
        if kind in (_PAYLOAD_SIZE, _COMPRESSION, _UNCOMPRESSED_SIZE):
            sizes[kind] = value.lenenc()
    if sizes.get(_PAYLOAD_SIZE, fields.left) != fields.left:
        raise fields.damaged("its payload does not have the size that it gives")
    compression = sizes.get(_COMPRESSION, _NONE)
    if compression not in (_ZSTD, _NONE):
        raise fields.damaged(f"replfix does not know its compression {compression}")
    size = sizes.get(_UNCOMPRESSED_SIZE, fields.left)
    limits.check(transaction, size=size)
    packed = io.BytesIO(fields.rest())
    if compression == _NONE:
        yield from _events(event, packed, size)
        return
    decompressor = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    try:
        with decompressor.stream_reader(packed, read_size=_READ_AT_ONCE, read_across_frames=True) as plain:
            yield from _events(event, io.BufferedReader(plain, _READ_AT_ONCE), size)
    except zstandard.ZstdError as error:
        raise fields.damaged(f"its compressed payload is damaged ({error})") from None


def _events(event: Event, plain: io.BufferedIOBase, size: int) -> Iterator[Event]:
    left = size
    while left:
        header = plain.read(HEADER_SIZE)
        if len(header) < HEADER_SIZE:
            raise event.buffer().damaged("its payload ends too early")
        timestamp, number, server_id, length, _, flags = HEADER.unpack(header)
        if not HEADER_SIZE <= length <= left:
            raise event.buffer().damaged("the events in it do not come out to the byte")
        body = plain.read(length - HEADER_SIZE)
        if len(body) != length - HEADER_SIZE:
            raise event.buffer().damaged("its payload ends too early")
        left -= length
        yield event.holding(number, body, header=(timestamp, server_id, flags))
    if plain.read(1):
        raise event.buffer().damaged("its payload is longer than the size that it gives")
