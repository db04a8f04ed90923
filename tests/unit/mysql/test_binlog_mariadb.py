"""Compressed events of MariaDB that no server writes."""

from __future__ import annotations

import struct
import zlib

import pytest

from replfix.core.connection.limits import LIMITS, Limits
from replfix.errors import Unreadable
from replfix.mysql.binlog.assemble import Schema, transactions
from replfix.mysql.binlog.events.checked_events import EventType, events
from tests.unit.mysql.test_binlog_log import FDE, made, no_charset, no_definition, placed

GTID = made(EventType.MARIADB_GTID, struct.pack("<QIB", 7, 3, 0x0C) + bytes(6))
HEAD = struct.pack("<IIBHH", 7, 0, 1, 0, 0) + b"s\0"
TEXT = b"DELETE FROM everything WHERE TRUE"


def packed(form: int = 0x81, size: int = len(TEXT), body: bytes = zlib.compress(TEXT)) -> bytes:
    return made(EventType.MARIADB_QUERY_COMPRESSED, HEAD + bytes([form, size]) + body)


def read(event: bytes, limits: Limits = LIMITS) -> None:
    stream = events([FDE, *placed(GTID, event, made(EventType.XID, bytes(8)))])
    list(transactions(stream, lambda opening: opening.gtid == "3-1-7", Schema(no_definition, no_charset, limits)))


def test_the_text_of_a_compressed_statement_is_shown() -> None:
    with pytest.raises(Unreadable, match=r"Transaction 3-1-7 was logged as a statement.*DELETE FROM everything"):
        read(packed())


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (packed(form=0x91), "does not know its compression 0x91"),
        (packed(form=0x80), "does not know its compression 0x80"),
        (packed(size=len(TEXT) - 1), "does not have the size that it gives"),
        (packed(size=len(TEXT) + 1), "does not have the size that it gives"),
        (packed(body=zlib.compress(TEXT)[:-6]), "does not have the size that it gives"),
        (packed(body=b"no zlib"), "compressed part is damaged"),
        (made(EventType.MARIADB_QUERY_COMPRESSED, HEAD), "ends too early"),
        (made(EventType.MARIADB_WRITE_ROWS_COMPRESSED_V1, bytes(3)), "ends too early"),
    ],
)
def test_a_damaged_one_is_refused(event: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        read(event)


def test_an_absurd_size_is_refused_before_anything_is_unpacked() -> None:
    event = made(EventType.MARIADB_QUERY_COMPRESSED, HEAD + b"\x84\xff\xff\xff\xff" + zlib.compress(TEXT))
    with pytest.raises(Unreadable, match="has 4,294,967,295 bytes of events or more"):
        read(event)


def test_a_server_that_encrypts_its_log_sends_it_decrypted() -> None:
    """As 10.11.19 with encrypt_binlog=ON sent it."""
    start = bytes.fromhex("c81b0d6ba401000000280000002801000080000101000000f623d8bd6b287fb5814a651dfb1d72b1")
    xid = made(EventType.XID, bytes(8))
    assert [event.type for event in events([FDE, start, *placed(GTID, xid)])] == [EventType.MARIADB_GTID, EventType.XID]
