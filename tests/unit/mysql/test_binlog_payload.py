"""Compressed transactions whose bytes no server writes: damaged ones, absurd ones, one that is not compressed."""

from __future__ import annotations

import struct

import pytest
import zstandard

from replfix.core.binlog.row_event import Transaction
from replfix.core.connection.limits import LIMITS, Limits
from replfix.errors import Unreadable
from replfix.mysql.binlog.assemble import Schema, transactions
from replfix.mysql.binlog.events.checked_events import HEADER, EventType, events
from tests.unit.mysql.test_binlog_log import (
    FDE,
    gtid,
    made,
    no_charset,
    no_definition,
    placed,
    query,
    without_checksums,
)

PLAIN = b"".join(raw[:9] + struct.pack("<I", len(raw) - 4) + raw[13:-4] for raw in (query(b"BEGIN"),))
XID = made(EventType.XID, bytes(8), crc=False)
ZSTD, NONE = 0, 255


def number(value: int) -> bytes:
    return bytes([value]) if value < 251 else b"\xfe" + struct.pack("<Q", value)


def field(kind: int, value: int) -> bytes:
    return bytes([kind, len(number(value))]) + number(value)


def payload(packed: bytes, compression: int, size: int, *, given: int | None = None) -> bytes:
    fields = field(2, compression) + field(3, size) + field(77, 1) + field(1, len(packed) if given is None else given)
    return made(EventType.TRANSACTION_PAYLOAD, fields + b"\0" + packed)


def zipped(plain: bytes) -> bytes:
    return payload(zstandard.compress(plain), ZSTD, len(plain))


def read(event: bytes, *behind: bytes, limits: Limits = LIMITS, fde: bytes = FDE) -> Transaction:
    stream = events([fde, *placed(gtid(), event, *behind)])
    return next(transactions(stream, lambda _: True, Schema(no_definition, no_charset, limits)))


@pytest.mark.parametrize("compression", [ZSTD, NONE])
def test_a_transaction_comes_out_of_its_payload(compression: int) -> None:
    plain = PLAIN + XID
    packed = zstandard.compress(plain) if compression == ZSTD else plain
    found = read(payload(packed, compression, len(plain)))
    assert found.thread_id == 7
    assert found.end_pos - found.start_pos == len(gtid()) + len(payload(packed, compression, len(plain)))


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (payload(PLAIN + XID, 7, len(PLAIN + XID)), "does not know its compression 7"),
        (payload(b"no zstd", ZSTD, 100), "compressed payload is damaged"),
        (payload(zstandard.compress(PLAIN + XID)[:-9], ZSTD, len(PLAIN + XID)), "ends too early|is damaged"),
        (payload(PLAIN + XID, NONE, len(PLAIN + XID), given=5), "does not have the size that it gives"),
        (zipped(PLAIN + XID[:-1]), "do not come out to the byte"),
        (payload(zstandard.compress(PLAIN + XID + b"x"), ZSTD, len(PLAIN + XID)), "longer than the size that it gives"),
        (payload(zstandard.compress(PLAIN + XID), ZSTD, 999), "ends too early"),
        (zipped(PLAIN + XID + XID), "after the end of its transaction"),
        (zipped(PLAIN + made(99, b"", crc=False) + XID), r"unknown \(type 99\)"),
        (zipped(PLAIN + HEADER.pack(0, 16, 1, 3, 0, 0)), "do not come out to the byte"),
        (made(EventType.TRANSACTION_PAYLOAD, b"\2\5\0"), "ends too early"),
    ],
)
def test_a_damaged_payload_is_refused(event: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        read(event)


def test_a_transaction_that_goes_on_behind_its_payload_is_read_as_one() -> None:
    assert read(zipped(PLAIN), made(EventType.XID, bytes(8))).thread_id == 7
    with pytest.raises(Unreadable, match="ends in the middle"):
        read(zipped(PLAIN))


def test_an_absurd_size_is_refused_before_anything_is_unpacked() -> None:
    with pytest.raises(Unreadable, match=r"has 9,000,000,000 bytes of events or more.* up to 1,000 bytes"):
        read(payload(zstandard.compress(b"x"), ZSTD, 9_000_000_000), limits=Limits(bytes=1000))


def test_what_claims_to_be_small_and_is_not_is_not_unpacked_whole() -> None:
    bomb = zstandard.compress(bytes(1 << 30))
    with pytest.raises(Unreadable, match=r"do not come out to the byte|longer than"):
        read(payload(bomb, ZSTD, 1000))


def test_events_get_the_checksum_that_their_log_asks_for() -> None:
    for fde in (FDE, without_checksums(FDE)):
        raws = [gtid(), zipped(PLAIN + XID)]
        if fde is not FDE:
            raws = [raw[:9] + struct.pack("<I", len(raw) - 4) + raw[13:-4] for raw in raws]
            raws = [
                raw[:13] + struct.pack("<I", at) + raw[17:]
                for raw, at in zip(raws, (75, 75 + len(raws[1])), strict=True)
            ]
        else:
            raws = placed(*raws)
        opening, event = events([fde, *raws])
        assert opening.type == EventType.GTID
        inner = event.holding(EventType.XID, bytes(8))
        (again,) = events([fde, inner.raw])
        assert (again.body, again.end_pos) == (bytes(8), event.end_pos)
