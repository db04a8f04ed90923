"""Damaged logs: a clear error or a transaction, never another exception and never a loop.

Checksums are made right again after the damage, so that it reaches the decoders.
"""

from __future__ import annotations

import contextlib
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replfix.core.binlog.row_event import Transaction
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows import json_text
from replfix.core.rows.row_values import Json
from replfix.core.schema.table import Column, TableName
from replfix.errors import Unreadable
from replfix.mysql.binlog.assemble import Schema, among, transactions
from replfix.mysql.binlog.events.checked_events import HEADER, EventType, events
from replfix.mysql.binlog.values import json_binary, partial_json
from tests.examples import times
from tests.places import GOLDEN

LIMIT = 10_000  # milliseconds for one damaged log, on a machine that has servers to run as well

ORIGIN = "9810d8ac-e58c-11f1-82f7-02fc00000001"
EVERYTHING = GtidSet.parse(f"{ORIGIN}:1-1000:tag:1-1000")
READABLE = GtidSet.parse(f"{ORIGIN}:3-5:7-10:12:14:tag:1")
CHARSETS = {
    255: "utf8mb4", 46: "utf8mb4", 2304: "utf8mb4", 8: "latin1", 54: "utf16", 2816: "utf16", 97: "eucjpms", 63: "binary"
}  # fmt: skip
COLUMNS = (
    Column("id", 0, "int", "int unsigned", nullable=False, unsigned=True),
    Column("name", 1, "varchar", "varchar(20)", nullable=True, charset="utf8mb4", length=80),
    Column("size", 2, "enum", "enum('S','M','L')", nullable=True, charset="utf8mb4", labels=("S", "M", "L")),
    Column("note", 3, "text", "text", nullable=True, charset="utf8mb4", length=65535),
)


def split(log: bytes) -> list[bytes]:
    found = []
    at = 4
    while at < len(log):
        size = HEADER.unpack_from(log, at)[3]
        found.append(log[at : at + size])
        at += size
    return found


RAWS = split((GOLDEN / "binlog_9_7.000001").read_bytes())
DAMAGED = (
    EventType.TABLE_MAP,
    EventType.WRITE_ROWS,
    EventType.UPDATE_ROWS,
    EventType.DELETE_ROWS,
)
DECODED = [index for index, raw in enumerate(RAWS) if raw[4] in DAMAGED]
OTHERS = [index for index in range(1, len(RAWS)) if index not in DECODED]


def charset_of(collation: int) -> str:
    try:
        return CHARSETS[collation]
    except KeyError:
        raise Unreadable(f"collation {collation}") from None


def read(raws: list[bytes], wanted: GtidSet) -> list[Transaction]:
    schema = Schema(lambda _: COLUMNS, charset_of)
    return list(transactions(events(raws), among(wanted), schema))


def resealed(body: bytes) -> bytes:
    """An event with the size and the checksum that its bytes ask for."""
    event = body[:9] + struct.pack("<I", len(body) + 4) + body[13:]
    return event + struct.pack("<I", zlib.crc32(event))


def moved(raw: bytes, end_pos: int) -> bytes:
    return resealed(raw[:13] + struct.pack("<I", end_pos) + raw[17:-4])


def damaged_read(index: int, body: bytes) -> None:
    """Read the log with one event replaced; those behind it move, so that no gap gives the damage away."""
    raws = [*RAWS[:index], resealed(body), *RAWS[index + 1 :]]
    longer = len(raws[index]) - len(RAWS[index])
    ends = [HEADER.unpack_from(raw)[4] for raw in raws]
    if longer:
        raws[index:] = [moved(raw, end + longer) for raw, end in zip(raws[index:], ends[index:], strict=True)]
    try:
        found = read(raws, READABLE)
    except Unreadable:
        return
    for transaction in found:
        for change in transaction.changes:
            width = len(transaction.column_names[change.table])
            assert all(image is None or len(image) == width for image in (change.before, change.after))


def test_the_log_is_readable_before_it_is_damaged() -> None:
    assert len(read(RAWS, READABLE)) == len(READABLE)
    assert all(raw == resealed(raw[:-4]) for raw in RAWS)


@times(4, deadline=LIMIT)
@given(
    st.sampled_from(DECODED),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(1, 255)), min_size=1, max_size=4),
)
def test_flipped_bits(index: int, flips: list[tuple[int, int]]) -> None:
    body = bytearray(RAWS[index][:-4])
    for at, mask in flips:
        body[HEADER.size + at % (len(body) - HEADER.size)] ^= mask
    damaged_read(index, bytes(body))


def columns_at(raw: bytes) -> int:
    """Where a rows event says how many columns it has; the bitmaps are behind it."""
    return HEADER.size + 8 + int.from_bytes(raw[HEADER.size + 8 : HEADER.size + 10], "little")


@pytest.mark.parametrize("index", [i for i in DECODED if RAWS[i][4] != EventType.TABLE_MAP])
def test_a_bitmap_with_nothing_but_bits_behind_the_last_column(index: int) -> None:
    body = bytearray(RAWS[index][:-4])
    at = columns_at(RAWS[index][:-4])
    width = (body[at] + 7) // 8
    spare = (1 << 8 * width) - (1 << body[at])
    for image in range(2 if body[4] == EventType.UPDATE_ROWS else 1):
        body[at + 1 + image * width : at + 1 + (image + 1) * width] = spare.to_bytes(width, "little")
    damaged_read(index, bytes(body))


@times(1, deadline=LIMIT)
@given(st.sampled_from(OTHERS), st.integers(0, 2000), st.integers(1, 255))
def test_flipped_bits_in_the_events_around_the_rows(index: int, at: int, mask: int) -> None:
    body = bytearray(RAWS[index][:-4])
    at %= len(body)
    if not 9 <= at < 13:  # the size is made right again anyway
        body[at] ^= mask
    damaged_read(index, bytes(body))


@times(2, deadline=LIMIT)
@given(st.sampled_from(DECODED), st.integers(0, 2000), st.binary(max_size=4))
def test_cut_and_lengthened_events(index: int, length: int, more: bytes) -> None:
    body = RAWS[index][:-4]
    damaged_read(index, body[: HEADER.size + length % (len(body) - HEADER.size)] + more)


@times(1, deadline=LIMIT)
@given(st.integers(0, 20000))
def test_a_stream_that_ends_early(length: int) -> None:
    left, kept = length % sum(map(len, RAWS)), []
    for raw in RAWS:
        if left <= 0:
            break
        kept.append(raw[:left])
        left -= len(raw)
    try:
        found = read(kept, READABLE)
    except Unreadable:
        return
    assert found == read(RAWS, READABLE)[: len(found)]


@times(0.5, deadline=LIMIT)
@given(st.data())
def test_a_lost_event_is_noticed(data: st.DataObject) -> None:
    """Whatever event of a transaction is missing but its first: no row is lost without a word."""
    inside = [i for i, raw in enumerate(RAWS) if i and raw[4] not in (EventType.GTID, EventType.GTID_TAGGED)]
    index = data.draw(st.sampled_from(inside))
    whole = read(RAWS, READABLE)
    try:
        found = read(RAWS[:index] + RAWS[index + 1 :], READABLE)
    except Unreadable:
        return
    lost = RAWS[index]
    assert found == whole, f"event {lost[4]} was lost without a word"


@times(4, deadline=LIMIT)
@given(st.binary(max_size=200))
def test_any_bytes_as_json(data: bytes) -> None:
    try:
        document = json_binary.parse(data)
        json_text.dump(document)
    except (Unreadable, ValueError):  # ValueError: a double that is no number; the row decoder makes it Unreadable
        return


@times(4, deadline=LIMIT)
@given(st.binary(max_size=60), st.sampled_from(("$", "$.a", '$."b c"[1]', "$[2]", "$[last-1].x")))
def test_any_bytes_as_differences_of_a_document(data: bytes, path: str) -> None:
    operation = data[:1] + bytes([len(path)]) + path.encode() + data[1:]
    for diffs in (data, operation):
        try:
            json_text.dump(partial_json.changed(Json('{"a": 1, "b c": [1, {"x": 2}], "d": null}'), diffs))
        except (Unreadable, ValueError):
            continue


def test_every_transaction_ends_in_rows_or_in_a_refusal() -> None:
    for gtid in EVERYTHING.of_uuid(ORIGIN).newest_first():
        if int(gtid.rpartition(":")[2]) > 20:
            continue
        with contextlib.suppress(Unreadable):
            read(RAWS, GtidSet.parse(gtid))
    assert TableName("shop", "every") in read(RAWS, GtidSet.parse(f"{ORIGIN}:3"))[0].column_names
