"""Headers, checksums and the borders of logs: events made by hand, because servers do not write damaged ones."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import pytest

from replfix.core.replication.gtid import GtidSet
from replfix.core.schema.table import Column, TableName
from replfix.errors import Unreadable
from replfix.mysql.binlog.assemble import Schema, among, transactions
from replfix.mysql.binlog.events.checked_events import HEADER, Event, EventType, events, read_format
from tests.places import GOLDEN

SAMPLE = (GOLDEN / "binlog_9_7.000001").read_bytes()
FDE_SIZE = HEADER.unpack_from(SAMPLE, 4)[3]
FDE = SAMPLE[4 : 4 + FDE_SIZE]
ORIGIN = "9810d8ac-e58c-11f1-82f7-02fc00000001"


def with_crc(event: bytes) -> bytes:
    return event + struct.pack("<I", zlib.crc32(event))


def made(number: int, body: bytes, *, crc: bool = True, flags: int = 0, end_pos: int = 1000) -> bytes:
    size = HEADER.size + len(body) + (4 if crc else 0)
    event = HEADER.pack(0, number, 1, size, end_pos, flags) + body
    return with_crc(event) if crc else event


def rotate(name: str, *, crc: bool) -> bytes:
    return made(EventType.ROTATE, struct.pack("<Q", 4) + name.encode(), crc=crc, flags=0x20, end_pos=0)


def without_checksums(fde: bytes) -> bytes:
    return with_crc(fde[:-5] + b"\0")


def read_all(raws: Sequence[bytes]) -> list[Event]:
    return list(events(raws))


def test_the_name_of_the_log_comes_from_rotate_events_with_and_without_checksum() -> None:
    xid = made(EventType.XID, bytes(8))
    plain = made(EventType.XID, bytes(8), crc=False)
    read = read_all(
        [rotate("a.000001", crc=False), FDE, xid, rotate("a.000002", crc=True), without_checksums(FDE), plain]
    )
    assert [(event.log_file, event.body, event.format.checksums) for event in read] == [
        ("a.000001", bytes(8), True),
        ("a.000002", bytes(8), False),
    ]


def test_the_in_use_flag_is_cleared_before_the_checksum_is_checked() -> None:
    in_use = FDE[:17] + bytes([FDE[17] | 1]) + FDE[18:]
    described = read_format(in_use)
    assert described.raw == FDE
    assert described.checksums
    assert described.server_version.startswith("9.7.4")


@pytest.mark.parametrize("raw", [FDE[:-1] + b"\0", FDE[:60], FDE[:19], FDE[:30] + b"\1" + FDE[31:]])
def test_a_damaged_format_description_is_refused(raw: bytes) -> None:
    with pytest.raises(Unreadable, match=r"Format_description event|has \d+"):
        read_all([raw])


def test_a_layout_that_this_reader_was_not_written_for_is_refused() -> None:
    lengths_at = 19 + 2 + 50 + 4 + 1
    other = bytearray(FDE[:-4])
    other[lengths_at + EventType.TABLE_MAP - 1] = 6
    with pytest.raises(Unreadable, match="gives Table_map events a header of 6 bytes"):
        read_format(with_crc(bytes(other)))


def test_a_wrong_checksum_is_refused() -> None:
    xid = made(EventType.XID, bytes(8))
    with pytest.raises(Unreadable, match=r"checksum of the Xid event that ends at :1000 is wrong"):
        read_all([FDE, xid[:-1] + bytes([xid[-1] ^ 1])])


@pytest.mark.parametrize("cut", [0, 5, 18, 20, 30])
def test_a_truncated_event_is_refused(cut: int) -> None:
    with pytest.raises(Unreadable):
        read_all([FDE, made(EventType.XID, bytes(8))[:cut]])


def test_events_before_the_format_description_are_refused() -> None:
    with pytest.raises(Unreadable, match="before the Format_description"):
        read_all([made(EventType.XID, bytes(8))])


def test_heartbeats_are_not_events_of_the_log() -> None:
    assert read_all([FDE, made(EventType.HEARTBEAT, b"x"), made(EventType.HEARTBEAT_V2, b"y", crc=False)]) == []


# --- what stands inside a transaction ---


def gtid(number: int = 1) -> bytes:
    body = b"\0" + bytes.fromhex(ORIGIN.replace("-", "")) + struct.pack("<Q", number) + b"\2" + bytes(16)
    return made(EventType.GTID, body + (10**15).to_bytes(7, "little"))


def query(text: bytes) -> bytes:
    return made(EventType.QUERY, struct.pack("<IIBHH", 7, 0, 1, 0, 0) + b"s\0" + text)


XID = made(EventType.XID, bytes(8))


def placed(*raws: bytes) -> list[bytes]:
    """The events one behind the other, as a log holds them."""
    found = []
    at = 4
    for raw in raws:
        made_up = not HEADER.unpack_from(raw)[4]
        at += len(raw)
        found.append(raw if made_up or raw is FDE else with_crc(raw[:13] + struct.pack("<I", at) + raw[17:-4]))
    return found


def no_definition(name: TableName) -> tuple[Column, ...]:
    raise AssertionError(name)


def no_charset(collation: int) -> str:
    raise AssertionError(collation)


def assemble(*raws: bytes) -> None:
    stream = events([FDE, *placed(*raws)])
    list(transactions(stream, among(GtidSet.parse(f"{ORIGIN}:1")), Schema(no_definition, no_charset)))


def test_an_empty_transaction_is_one() -> None:
    assemble(gtid(), query(b"BEGIN"), XID)
    assemble(gtid(), query(b"BEGIN"), query(b"COMMIT"))


def test_an_unknown_event_is_refused_unless_it_may_be_ignored() -> None:
    with pytest.raises(Unreadable, match="unknown \\(type 99\\) event"):
        assemble(gtid(), query(b"BEGIN"), made(99, b""), XID)
    assemble(gtid(), query(b"BEGIN"), made(99, b"", flags=0x80), XID)


@pytest.mark.parametrize("number", [20, 21, 22, 26, 36, 37, 38, 39, 166])
def test_known_events_that_are_not_read_are_refused(number: int) -> None:
    with pytest.raises(Unreadable, match=EventType(number).name.capitalize()):
        assemble(gtid(), query(b"BEGIN"), made(number, bytes(40)), XID)


@pytest.mark.parametrize("number", [23, 24, 25, 30, 31, 32])
def test_rows_without_their_table_map_are_refused(number: int) -> None:
    body = (5).to_bytes(6, "little") + b"\1\0" + (b"\2\0" if number >= 30 else b"") + b"\1\1\1" + bytes(5)
    with pytest.raises(Unreadable, match="no Table_map event for its table number 5"):
        assemble(gtid(), query(b"BEGIN"), made(number, body), XID)


@pytest.mark.parametrize("end", [[], [gtid(2)], [made(EventType.STOP, b"")], [rotate("b", crc=True), FDE, XID]])
def test_a_transaction_that_stops_in_the_middle_is_refused(end: list[bytes]) -> None:
    with pytest.raises(Unreadable, match="ends in the middle"):
        assemble(gtid(), query(b"BEGIN"), *end)


def test_rows_without_begin_and_statements_are_refused() -> None:
    with pytest.raises(Unreadable, match="no BEGIN"):
        assemble(gtid(), XID)
    with pytest.raises(Unreadable, match=r"logged as a statement.*DELETE FROM t"):
        assemble(gtid(), query(b"BEGIN"), query(b"DELETE FROM t"), XID)
    with pytest.raises(Unreadable, match=r"logged as a statement.*ROLLBACK TO `a`"):
        assemble(gtid(), query(b"BEGIN"), query(b"SAVEPOINT `a`"), query(b"ROLLBACK TO `a`"), XID)


def test_other_transactions_are_passed_over_whatever_they_hold() -> None:
    assemble(gtid(2), query(b"BEGIN"), made(EventType.TRANSACTION_PAYLOAD, b""), gtid(1), query(b"BEGIN"), XID)


def test_a_gap_between_two_events_is_refused() -> None:
    begin, xid = placed(gtid(), query(b"BEGIN"), query(b"SAVEPOINT `a`"), XID)[1::2]
    with pytest.raises(Unreadable, match="does not follow on the event that ends at"):
        list(
            transactions(
                events([FDE, *placed(gtid()), begin, xid]),
                among(GtidSet.parse(f"{ORIGIN}:1")),
                Schema(no_definition, no_charset),
            )
        )


def test_lost_changes_are_never_passed_over() -> None:
    with pytest.raises(Unreadable, match="changes were lost on the source"):
        assemble(made(EventType.INCIDENT, bytes(3)))


def test_a_commit_time_that_is_missing_is_told() -> None:
    short = made(EventType.GTID, b"\0" + bytes.fromhex(ORIGIN.replace("-", "")) + struct.pack("<Q", 1))
    wanted = GtidSet.parse(f"{ORIGIN}:1")
    stream = events([FDE, *placed(short, query(b"BEGIN"), XID)])
    (found,) = transactions(stream, among(wanted), Schema(no_definition, no_charset))
    assert "whole seconds" in found.notes[0]
