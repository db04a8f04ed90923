"""A log that MySQL 9.7.4 wrote (tests/golden/binlog_9_7.sql says what is in it), read without a server."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from decimal import Decimal

import pytest

from replfix.core.binlog.row_event import ChangeKind, Transaction
from replfix.core.replication.gtid import GtidSet
from replfix.core.rows.row_values import NOT_LOGGED, Json
from replfix.core.schema.table import Column, Table, TableName
from replfix.errors import Unreadable
from replfix.mysql.binlog.assemble import Schema, among, transactions
from replfix.mysql.binlog.events.checked_events import HEADER, events
from tests.places import GOLDEN

SAMPLE = GOLDEN / "binlog_9_7.000001"
ORIGIN = "9810d8ac-e58c-11f1-82f7-02fc00000001"
CHARSETS = {255: "utf8mb4", 8: "latin1", 63: "binary"}
SMALL = TableName("shop", "small")
EVERY = TableName("shop", "every")


def raws(log: bytes, at: int = 4) -> Iterator[bytes]:
    """Its events, from that byte on: a file has four before the first."""
    while at < len(log):
        size = HEADER.unpack_from(log, at)[3]
        yield log[at : at + size]
        at += size


def small() -> Table:
    columns = (
        Column("id", 0, "int", "int unsigned", nullable=False, unsigned=True),
        Column("name", 1, "varchar", "varchar(20)", nullable=True, charset="utf8mb4", length=80),
        Column("size", 2, "enum", "enum('S','M','L')", nullable=True, charset="utf8mb4", labels=("S", "M", "L")),
        Column("note", 3, "text", "text", nullable=True, charset="utf8mb4", length=65535),
    )
    return Table(SMALL, columns, (), "InnoDB", True)


def read(number: int | str, definition: Table | None = None) -> Transaction:
    def columns_of(name: TableName) -> tuple[Column, ...]:
        assert name == SMALL, "only a log without names asks for a definition"
        return (definition or small()).columns

    wanted = GtidSet.parse(f"{ORIGIN}:{number}")
    schema = Schema(columns_of, CHARSETS.__getitem__)
    return next(transactions(events(raws(SAMPLE.read_bytes())), among(wanted), schema))


def test_every_type_is_read_from_a_log_with_full_metadata() -> None:
    transaction = read(3)
    row, nulls, _ = transaction.changes
    assert transaction.column_names[EVERY][:3] == ("id", "t", "m")
    assert transaction.notes == ()
    assert row.kind is ChangeKind.INSERT
    assert row.before is None
    assert row.after == (
        4294967295,
        -128,
        16777215,
        18446744073709551615,
        0,
        Decimal("-123456789012345.12345"),
        0.10000000149011612,
        1e100,
        1023,
        "2024-02-29",
        "-00:00:00.500",
        "9999-12-31 23:59:59.999999",
        "2038-01-19 03:14:07.9",
        "pad",
        "é😀",
        "é€",
        "text",
        b"\x01\0\0\0",
        b"\x02\0",
        b"\0\xff",
        "ü",
        "x,z",
        Json('{"a": {}, "n": 18446744073709551615, "bb": [1, -1.5, 1e+100, true, null, "é\\n"]}'),
        -127,
        7,
    )
    assert nulls.after == (2, *(None,) * 23, 7)


def test_zero_dates_and_json_null_are_values() -> None:
    row = read(3).changes[2].after
    assert row is not None
    assert row[9:13] == ("0000-00-00", "838:59:59.000", "0000-00-00 00:00:00.000000", "0000-00-00 00:00:00.0")
    assert row[20] == ""  # the error value of an ENUM
    assert row[22] == Json("null")


def test_an_update_has_both_images_and_a_delete_the_first_only() -> None:
    (update,) = read(4).changes
    assert update.before is not None
    assert update.after is not None
    assert (update.before[1], update.after[1], update.after[23]) == (127, 5, 6)
    (delete,) = read(5).changes
    assert delete.kind is ChangeKind.DELETE
    assert delete.after is None
    assert delete.before is not None


def test_names_and_labels_come_from_the_definition_when_the_log_has_none() -> None:
    transaction = read(7)
    assert transaction.column_names == {SMALL: ("id", "name", "size", "note")}
    assert [change.after for change in transaction.changes] == [(1, "one", "M", "first"), (2, "two", None, None)]
    assert len(transaction.notes) == 1
    assert "binlog_row_metadata=MINIMAL" in transaction.notes[0]


def test_what_an_image_leaves_out_is_not_null() -> None:
    (minimal,) = read(8).changes
    assert minimal.before == (1, NOT_LOGGED, NOT_LOGGED, NOT_LOGGED)
    assert minimal.after == (NOT_LOGGED, "uno", NOT_LOGGED, NOT_LOGGED)
    (noblob,) = read(9).changes
    assert noblob.before == (2, "two", None, NOT_LOGGED)
    assert noblob.after == (2, "dos", None, NOT_LOGGED)


def test_statements_their_texts_and_their_raw_events() -> None:
    transaction = read(10)
    assert [change.kind for change in transaction.changes] == [ChangeKind.INSERT, ChangeKind.DELETE]
    assert transaction.queries == (
        "INSERT INTO small VALUES (3, 'three', 'L', NULL)",
        "DELETE FROM small WHERE id = 2",
    )
    assert [[raw[4] for raw in statement] for statement in transaction.raw.statements] == [[19, 30], [19, 32]]
    log = SAMPLE.read_bytes()
    assert all(raw in log for statement in transaction.raw.statements for raw in statement)
    assert transaction.raw.format_description == next(raws(log))


def test_where_and_when() -> None:
    transaction = read(10)
    assert transaction.thread_id
    assert transaction.server_id == 13401
    assert transaction.start_pos < transaction.changes[0].event_end_pos < transaction.end_pos <= SAMPLE.stat().st_size
    assert transaction.committed_at.year == 2026
    assert transaction.committed_at.microsecond
    assert transaction.committed_at.utcoffset() is not None


def test_a_tagged_transaction() -> None:
    transaction = read("tag:1")
    assert transaction.gtid == f"{ORIGIN}:tag:1"
    assert transaction.committed_at > read(10).committed_at
    assert transaction.changes[0].after == (4, "tagged", None, None)


def test_a_compressed_transaction() -> None:
    transaction = read(12)
    assert transaction.changes[0].after == (6, "compressed", None, None)
    assert transaction.changes[0].event_end_pos == transaction.end_pos
    ((table_map, rows),) = transaction.raw.statements
    # Unpacked, they are events like those that the log holds as they are: read again, they give the same rows.
    again = list(events([transaction.raw.format_description, table_map, rows]))
    assert [event.end_pos for event in again] == [transaction.end_pos] * 2


def test_the_part_of_an_xa_transaction_that_holds_its_rows() -> None:
    transaction = read(14)
    assert transaction.changes[0].after == (7, "xa", None, None)
    assert "only prepares the XA transaction X'78',X'',1" in transaction.notes[-1]


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (11, "logged as a statement, not as rows.*INSERT INTO small VALUES \\(5, 'statement'"),
        (15, "has no rows: it ends an XA transaction.*XA COMMIT X'78',X'',1"),
        (16, "logged as a statement.*ALTER TABLE small ADD COLUMN more INT"),
    ],
)
def test_what_is_not_read_is_refused_by_name(number: int, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        read(number)


def test_a_definition_with_another_number_of_columns_is_refused() -> None:
    fewer = Table(SMALL, small().columns[:3], (), "InnoDB", True)
    with pytest.raises(Unreadable, match="it has 3 columns now and had 4 in the binary log"):
        read(7, fewer)


@pytest.mark.parametrize(
    "column",
    [
        Column("id", 0, "bigint", "bigint unsigned", nullable=False, unsigned=True),
        Column("id", 0, "int", "int", nullable=False),
        Column("name", 1, "varbinary", "varbinary(80)", nullable=True, length=80),
        Column("size", 2, "set", "set('S')", nullable=True, charset="utf8mb4", labels=("S",)),
        Column("note", 3, "json", "json", nullable=True),
    ],
    ids=lambda column: column.column_type,
)
def test_a_definition_of_other_types_is_refused(column: Column) -> None:
    columns = list(small().columns)
    columns[column.ordinal] = column
    with pytest.raises(Unreadable, match=f"column '{column.name}' is .* now and was of another type"):
        read(7, Table(SMALL, tuple(columns), (), "InnoDB", True))


def test_labels_that_the_definition_lost_are_refused() -> None:
    columns = list(small().columns)
    columns[2] = Column("size", 2, "enum", "enum('S')", nullable=True, charset="utf8mb4", labels=("S",))
    with pytest.raises(Unreadable, match="label 2 of 1"):
        read(7, Table(SMALL, tuple(columns), (), "InnoDB", True))


def types(number: int) -> Transaction:
    """Of binlog_9_7_types.000001."""
    log = SAMPLE.with_name("binlog_9_7_types.000001").read_bytes()
    charsets = {255: "utf8mb4", 8: "latin1", 63: "binary", 54: "utf16", 97: "eucjpms"}
    schema = Schema(lambda _: small().columns, lambda number: charsets.get(number, "latin1"))
    wanted = among(GtidSet.parse(f"8fa2149a-e5a6-11f1-9baa-02fc00000001:{number}"))
    return next(transactions(events(raws(log)), wanted, schema))


def test_types_that_have_bytes_of_their_own() -> None:
    row, nulls = (change.after for change in types(3).changes)
    assert row is not None
    assert nulls == (2, *(None,) * 18)
    assert row[1] == bytes(4) + struct.pack("<BII4d", 1, 2, 2, 1, 2, 3, 4)
    assert row[2] == struct.pack("<IBI2d", 4326, 1, 1, 20, 10)  # written latitude first, kept longitude first
    assert row[3] == struct.pack("<3f", 1, -2.5, 1e9)
    assert row[7:12] == ("ü", "a😀", "①黑", "é", "a,i")
    assert row[15:18] == ("-838:59:58.999999", "9999-12-31 23:59:59.99999", "2038-01-19 03:14:07.9999")


def test_values_of_sql_types_inside_json_are_known() -> None:
    row = types(3).changes[0].after
    assert row is not None
    document = row[4]
    assert isinstance(document, Json)
    assert document.text == (
        '{"d": -1.5, "n": null, "t": ["2020-01-02", "-13:04:05.600000", "2020-01-02 03:04:05.000006", '
        '"base64:type15:AP8=", "base64:type15:BQ=="]}'
    )
    assert document.typed is not None
    inside = [document.typed["d"], *document.typed["t"]]
    assert [value.type for value in inside] == [
        *("DECIMAL(13,4)", "DATE", "TIME(6)", "DATETIME(6)", "BINARY", "BINARY"),
    ]
