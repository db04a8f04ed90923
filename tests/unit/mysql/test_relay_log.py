"""Files that are no relay log, or not one that can be read."""

from __future__ import annotations

import io

import pytest

from replfix.errors import Unreadable
from replfix.mysql.binlog.assemble import Schema
from replfix.mysql.binlog.events.checked_events import EventType
from replfix.mysql.binlog.relay_log import raw_events, relayed
from tests.unit.mysql.test_binlog_log import FDE, gtid, made, no_charset, no_definition, placed, query, rotate

MAGIC = b"\xfebin"
XID = made(EventType.XID, bytes(8))
WHOLE = placed(gtid(), query(b"BEGIN"), XID)
GTID = "9810d8ac-e58c-11f1-82f7-02fc00000001:1"


def read(*files: bytes, gtid: str | None = GTID, end_log_pos: int | None = None, log_file: str = "") -> str | None:
    found = relayed(
        lambda: ((f"relay.{number}", io.BytesIO(file)) for number, file in enumerate(files)),
        Schema(no_definition, no_charset),
        gtid,
        end_log_pos,
        log_file,
    )
    return f"{found.log_file}:{found.start_pos}" if found else None


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"\xfdbin" + bytes(600), r"relay\.0 is encrypted \(binlog_encryption=ON\)"),
        (MAGIC + made(EventType.MARIADB_START_ENCRYPTION, bytes(17)), r"relay\.0 is encrypted \(encrypt_binlog=ON\)"),
        (b"\x7fELF" + bytes(600), r"relay\.0 is not a relay log"),
        (b"", "is not a relay log"),
        (MAGIC + bytes(40), "an event says that it has 0 bytes"),
        (MAGIC + b"\xff" * 40, "an event says that it has 4,294,967,295 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(file: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        read(file)


def test_an_event_that_is_still_being_written_is_not_there_yet() -> None:
    whole = b"".join([FDE, *WHOLE])
    assert list(raw_events("", io.BytesIO(MAGIC + whole))) == [FDE, *WHOLE]
    for cut in (1, len(XID) - 1):
        assert list(raw_events("", io.BytesIO(MAGIC + whole[:-cut]))) == [FDE, *WHOLE[:-1]]
        assert read(MAGIC + whole[:-cut]) is None


def test_a_transaction_that_is_cut_short_comes_again() -> None:
    head, tail = MAGIC + b"".join([FDE, *WHOLE[:2]]), MAGIC + b"".join([FDE, *WHOLE])
    assert read(head, tail, log_file="binlog.000007") == "binlog.000007:4"
    assert read(head + rotate("binlog.000008", crc=True), tail) == "binlog.000008:4"
    end = 4 + sum(map(len, WHOLE))
    assert read(head, tail, gtid=None, end_log_pos=end, log_file="binlog.000007") == "binlog.000007:4"
    assert read(head, tail, gtid=None, end_log_pos=end + 1, log_file="binlog.000007") is None
    begin = 4 + sum(map(len, WHOLE[:2]))
    assert read(head, tail, gtid=None, end_log_pos=begin, log_file="binlog.000007") == "binlog.000007:4"
