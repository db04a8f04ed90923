"""The exact SQL, and that every value survives the way through it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from replfix.core import sql
from replfix.core.replication.transaction_id import TransactionId
from replfix.core.rows.lookup import by_key
from replfix.core.rows.row_values import NOT_LOGGED, Json, Value
from replfix.core.schema.table import KeyPart, Table, TableName
from tests.unit.making import column, key, table

T = table(
    "my shop.or`ders",
    [
        column("id"),
        column("na`me", "varchar", nullable=True),
        column("price", "float"),
        column("at", "timestamp"),
        column("total", generated=True),
    ],
    [key("PRIMARY", "id"), key("n", KeyPart("na`me", prefix=4)), key("p", "price", "id")],
)
NAME = "`my shop`.`or``ders`"
ROW = (1, "it's", 0.5, "2026-03-05 11:00:00", 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (0, "0"),
        (-(2**63), "-9223372036854775808"),
        (2**64 - 1, "18446744073709551615"),
        (Decimal("-0.10"), "-0.10"),
        (Decimal("1E+5"), "100000"),
        (0.1, "0.1e0"),
        (1e300, "1e+300"),
        (-0.0, "-0.0e0"),
        (5e-324, "5e-324"),
        ("", "''"),
        ("it's", "'it''s'"),
        ("a\\b", "'a\\\\b'"),
        ("Año 🎉", "'Año 🎉'"),
        ("\x00", "_utf8mb4 0x00"),
        ("a\nb", "_utf8mb4 0x610A62"),
        ("\u202eevil", "_utf8mb4 0xE280AE6576696C"),
        ("\x1b[2J", "_utf8mb4 0x1B5B324A"),
        (b"", "''"),
        (b"\x00'\xff", "0x0027FF"),
        (Json('{"a": "it\'s"}'), "CAST('{\"a\": \"it''s\"}' AS JSON)"),
        (Json('"\\u0000"'), "CAST('\"\\\\u0000\"' AS JSON)"),
    ],
)
def test_literals(value: Value, text: str) -> None:
    assert sql.literal(T.columns[0], value) == text


@pytest.mark.parametrize("value", [True, False, NOT_LOGGED])
def test_what_is_no_value_is_refused(value: Value) -> None:
    with pytest.raises(ValueError, match="na`me"):
        sql.literal(T.columns[1], value)


@pytest.mark.parametrize(
    ("name", "text"), [("a", "`a`"), ("a`b", "`a``b`"), ("a.b", "`a.b`"), ("``", "``````"), ('"', '`"`')]
)
def test_identifiers(name: str, text: str) -> None:
    assert sql.identifier(name) == text
    assert sql.table_name(TableName(name, name)) == f"{text}.{text}"


def test_delete() -> None:
    assert sql.delete_row(T, ROW) == f"DELETE FROM {NAME} WHERE `id` = 1"


def test_insert_leaves_generated_columns_to_the_server() -> None:
    assert sql.insert_row(T, ROW) == (
        f"INSERT INTO {NAME} (`id`, `na``me`, `price`, `at`) VALUES (1, 'it''s', 0.5e0, '2026-03-05 11:00:00')"
    )
    with pytest.raises(ValueError, match="not logged"):
        sql.insert_row(T, (1, NOT_LOGGED, 0.5, None, 2))


def test_update_sets_what_differs_and_was_logged_and_pins_timestamps() -> None:
    assert sql.update_row(T, ROW, (1, None, NOT_LOGGED, ROW[3], 9)) == (
        f"UPDATE {NAME} SET `na``me` = NULL, `at` = '2026-03-05 11:00:00' WHERE `id` = 1"
    )


def test_rows_are_named_by_the_primary_key_or_the_first_key_that_can() -> None:
    pair = table(
        "d.t",
        [column("a", nullable=True), column("B", "varbinary"), column("c")],
        [key("a", "a"), key("bc", "c", "b")],
    )
    assert sql.delete_row(pair, (None, b"\x01", 2)) == "DELETE FROM `d`.`t` WHERE `c` = 2 AND `B` = 0x01"


COLUMNS = "`id`, `na``me`, (`price` * 1e0), `at`, `total`"


def _lookup(of: Table, number: int) -> str:
    lookup = by_key(of, of.unique_keys[number], ROW)
    assert lookup is not None
    return sql.select_row(of, lookup)


def test_look_ups() -> None:
    assert _lookup(T, 0) == f"SELECT {COLUMNS} FROM {NAME} WHERE `id` = 1"
    assert _lookup(T, 1) == f"SELECT {COLUMNS} FROM {NAME} WHERE LEFT(`na``me`, 4) = 'it''s'"
    assert _lookup(T, 2) == f"SELECT {COLUMNS} FROM {NAME} WHERE `price` = 0.5e0 AND `id` = 1"
    lookup = by_key(T, T.unique_keys[0], ROW)
    assert lookup is not None
    assert sql.select_row(T, lookup, locking=True).endswith(" WHERE `id` = 1 FOR UPDATE")
    assert sql.select_rows(T, [lookup, lookup]) == (
        f"(SELECT 0, {COLUMNS} FROM {NAME} WHERE `id` = 1) UNION ALL (SELECT 1, {COLUMNS} FROM {NAME} WHERE `id` = 1)"
    )


def test_start_replica() -> None:
    assert sql.start_replica(sql.Channel(""), receiver=True) == "START REPLICA FOR CHANNEL ''"
    assert sql.start_replica(sql.Channel("it's"), receiver=False) == "START REPLICA SQL_THREAD FOR CHANNEL 'it''s'"
    assert sql.start_replica(sql.Channel(""), receiver=False, until=TransactionId("u:1", "b.1", 4, 9)) == (
        "START REPLICA SQL_THREAD UNTIL SQL_AFTER_GTIDS = 'u:1' FOR CHANNEL ''"
    )
    assert sql.start_replica(sql.Channel(""), receiver=False, before=TransactionId("u:1", "b.1", 4, 9)) == (
        "START REPLICA SQL_THREAD UNTIL SQL_BEFORE_GTIDS = 'u:1' FOR CHANNEL ''"
    )
    unnamed = TransactionId(None, "it's.1", 4, 9)
    assert sql.start_replica(sql.Channel(""), receiver=False, until=unnamed) == (
        "START REPLICA SQL_THREAD UNTIL SOURCE_LOG_FILE = 'it''s.1', SOURCE_LOG_POS = 9 FOR CHANNEL ''"
    )
    old, other = sql.Channel("", mariadb=True), sql.Channel("it's", mariadb=True)  # before 10.7 there is no FOR CHANNEL
    assert sql.start_replica(old, receiver=True) == "START REPLICA"
    assert sql.fetch_again(other) == ("STOP REPLICA 'it''s'", "RESET REPLICA 'it''s'", "START REPLICA 'it''s'")
    assert sql.start_receiver(other) == "START REPLICA 'it''s' IO_THREAD"
    assert sql.stop_replica(sql.Channel("it's"), "SQL_THREAD") == "STOP REPLICA SQL_THREAD FOR CHANNEL 'it''s'"
    assert sql.start_replica(sql.Channel("c"), receiver=False, gaps=True) == (
        "START REPLICA SQL_THREAD UNTIL SQL_AFTER_MTS_GAPS FOR CHANNEL 'c'"
    )
    assert sql.start_replica(sql.Channel(""), receiver=False, before=unnamed) == (
        "START REPLICA SQL_THREAD UNTIL SOURCE_LOG_FILE = 'it''s.1', SOURCE_LOG_POS = 4 FOR CHANNEL ''"
    )


def test_sessions_are_told_how_texts_are_read() -> None:
    settings = " ".join(sql.SESSION_SETTINGS)
    assert "time_zone = '+00:00'" in settings
    assert "STRICT_ALL_TABLES" in settings
    for mode in ("NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "PIPES_AS_CONCAT"):
        assert mode not in settings
