"""GTIDs in their binary forms: the event that opens a transaction, and the set that a replica sends."""

from __future__ import annotations

import re
import struct
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from replfix.core.replication.gtid import GtidSet
from replfix.mysql.binlog.events.checked_events import Event, EventType

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HAS_ORIGINAL = 1 << 55
_LAST = (1 << 63) - 2  # GNO_END is one more
_TAG = re.compile(r"[a-z_][a-z0-9_]{0,31}\Z")


@dataclass(frozen=True, slots=True)
class Opening:
    """What a transaction's first event says of it."""

    gtid: str | None  # None on servers without GTIDs
    committed_at: datetime  # on the original server, UTC
    exact: bool  # False: from the event's header, whole seconds, because the event has no commit time
    begins: bool = False  # it is the BEGIN too
    xa_id: str | None = None  # of the XA transaction that it begins, where it says so
    thread_id: int | None = None  # of the connection that wrote it, where it says so


def at_seconds(event: Event) -> datetime:
    """Return when an event was written, by its header."""
    return _EPOCH + timedelta(seconds=event.timestamp)


def _opening(event: Event, gtid: str | None, microseconds: int) -> Opening:
    if microseconds:
        try:
            return Opening(gtid, _EPOCH + timedelta(microseconds=microseconds), exact=True)
        except OverflowError:
            raise event.buffer().damaged("its commit time is out of range") from None
    return Opening(gtid, at_seconds(event), exact=False)


def plain(event: Event) -> Opening:
    """Read a Gtid or Anonymous_gtid event."""
    fields = event.buffer()
    fields.take(1)  # flags
    origin = uuid.UUID(bytes=fields.take(16))
    number = fields.uint(8)
    anonymous = event.type == EventType.ANONYMOUS_GTID  # the same fields, with zeros for the GTID
    if not anonymous and not 1 <= number <= _LAST:
        raise fields.damaged("it has no GTID")
    original = 0
    if fields.left >= 17 + 7:  # servers before 8.0 end here, or after the two logical timestamps
        fields.take(17)  # type of the timestamps, last_committed, sequence_number
        immediate = fields.uint(7)
        # When the two are the same, the server writes one only.
        original = fields.uint(7) if immediate & _HAS_ORIGINAL else immediate
    return _opening(event, None if anonymous else f"{origin}:{number}", original)


def tagged(event: Event) -> Opening:
    """Read a Gtid_tagged event.

    mysql::serialization: version, size, last field that may not be skipped, then numbered fields in order.
    """
    fields = event.buffer()
    if fields.varint() != 1:
        raise fields.damaged("its serialization version is unknown")
    fields.take(0)
    size = fields.varint()
    if size != len(fields.data):
        raise fields.damaged("its size is not that of the event")
    fields.varint()
    origin = b""
    tag = ""
    number = immediate = 0
    original: int | None = None
    while fields.left:
        field = fields.varint()
        if field == 0:
            fields.varint()  # flags
        elif field == 1:
            origin = bytes(value & 0xFF for value in (fields.varint() for _ in range(16)))
        elif field == 2:
            number = fields.signed_varint()
        elif field == 3:
            tag = fields.take(fields.varint()).decode("ascii", "replace")
        elif field in (4, 5):
            fields.signed_varint()  # last_committed, sequence_number
        elif field == 6:
            immediate = fields.varint()
        elif field == 7:
            original = fields.varint()
        else:
            break  # lengths and versions, nothing of them is needed
    if not origin or not 1 <= number <= _LAST or not (tag == "" or _TAG.match(tag)):
        raise fields.damaged("it has no GTID")
    gtid = f"{uuid.UUID(bytes=origin)}:{tag}:{number}" if tag else f"{uuid.UUID(bytes=origin)}:{number}"
    return _opening(event, gtid, immediate if original is None else original)


def encode(gtids: GtidSet) -> bytes:
    """Return the set as COM_BINLOG_DUMP_GTID takes it; with tags in the form that 8.3 introduced."""
    tagged = any(tag for (_, tag), _ in gtids.intervals)
    count = len(gtids.intervals)
    pieces = [struct.pack("<Q", (1 << 56 | count << 8 | 1) if tagged else count)]
    for (origin, tag), intervals in gtids.intervals:
        pieces.append(uuid.UUID(origin).bytes)
        if tagged:
            pieces.append(bytes([len(tag) << 1]) + tag.encode("ascii"))
        pieces.append(struct.pack("<Q", len(intervals)))
        pieces += (struct.pack("<QQ", first, last + 1) for first, last in intervals)
    return b"".join(pieces)
