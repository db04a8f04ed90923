"""Single values in the forms in which the binary log packs them."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from replfix.core.columns import select_form
from replfix.core.rows import json_text
from replfix.core.rows.json_text import Digits
from replfix.core.rows.row_values import Json
from replfix.core.schema.table import Column
from replfix.errors import Unreadable
from replfix.mysql.binlog.events.buffer import Buffer
from replfix.mysql.binlog.values import decimals, json_binary, temporal
from replfix.mysql.read.charsets import decoder
from replfix.mysql.read.column_values import from_server
from replfix.mysql.read.table_definitions import labels


@pytest.mark.parametrize(
    ("hexadecimal", "digits", "expected"),
    [
        ("800000", 0, "00:00:00"),
        ("b46efb", 0, "838:59:59"),
        ("4b9105", 0, "-838:59:59"),
        ("7fffffce", 2, "-00:00:00.50"),
        ("7ffffffffffe", 6, "-00:00:00.000002"),
        ("800000000001", 6, "00:00:00.000001"),
        ("7fffffec78", 3, "-00:00:00.500"),
    ],
)
def test_times(hexadecimal: str, digits: int, expected: str) -> None:
    assert temporal.time_of_day(digits)(bytes.fromhex(hexadecimal)) == expected


def test_a_fraction_that_no_clock_shows_is_refused() -> None:
    with pytest.raises(Unreadable):
        temporal.fraction(2)(100)


@pytest.mark.parametrize(
    ("raw", "precision", "scale", "expected"),
    [
        ("810dfb38d204d2", 14, 4, "1234567890.1234"),
        ("7ef204c72dfb2d", 14, 4, "-1234567890.1234"),
        ("80", 1, 0, "0"),
        ("7f", 1, 0, "-0"),
        ("80ff", 2, 2, None),
    ],
)
def test_decimals(raw: str, precision: int, scale: int, expected: str | None) -> None:
    data = bytes.fromhex(raw)
    if expected is None:
        with pytest.raises(Unreadable):
            decimals.reader(1 + 2, 2)(data)
    else:
        assert decimals.size(precision, scale) == len(data)
        assert str(decimals.reader(precision, scale)(data)) == expected


def test_a_json_number_keeps_its_value() -> None:
    assert json_text.canonical("[1.50, 1e100, 1.0, -0.0, 18446744073709551616]") == (
        "[1.5, 1e+100, 1.0, -0.0, 18446744073709551616]"
    )
    assert json_text.number("123456789012345678901234567890.12") == Digits("123456789012345678901234567890.12")
    assert json_text.canonical('{"a":123456789012345678901234567890.12}') == '{"a": 123456789012345678901234567890.12}'


def test_json_text_is_what_json_dumps_writes() -> None:
    document = {"a": [1, 'é\n\u0001"\\', None, True, {}, [], {"b": [[]]}], "": -1.5}
    assert json_text.dump(document) == json.dumps(document, ensure_ascii=False)


@pytest.mark.parametrize("data", ["ff", "02", "020100", "0202000500", "0c", "0c05", "0c0161"[:4], "04", "0409", "0b00"])
def test_a_damaged_json_value_is_refused(data: str) -> None:
    with pytest.raises(Unreadable):
        json_binary.parse(bytes.fromhex(data))


def test_a_json_value_that_points_to_itself_ends() -> None:
    # An array, every element of which is the array itself.
    looping = bytes.fromhex("02" + "ff00" + "0103" + "020000" * 255)
    with pytest.raises(Unreadable, match="point to each other"):
        json_binary.parse(looping)


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("latin1", b"\x80\x81\x9d\xe9", "€\x81\x9dé"),
        ("utf16", b"\xd8\x3d\xde\x00", "😀"),
        ("utf32", b"\0\1\xf6\0", "😀"),
        ("ucs2", b"\0a", "a"),
        ("sjis", b"\x81\x5f", "\\"),
        ("gb18030", b"\xa8\xbc", "ḿ"),
        ("cp866", b"\xfd", "²"),
        ("big5", b"a\xf9\xd6b", "a碁b"),
        ("ujis", b"\xf5\xa1\x8f\xfe\xfe", "\ue000\ue757"),
        ("eucjpms", b"~\xad\xa1\x8f\xa2\xb7\x8f\xf3\xf3\x8f\xf4\xfe", "~①～ⅰ黑"),
        ("swe7", b"@[\\]", "ÉÄÖÅ"),
    ],
)
def test_character_sets(charset: str, raw: bytes, text: str) -> None:
    assert decoder(charset)(raw) == text


@pytest.mark.parametrize(
    ("charset", "raw"),
    [
        ("big5", b"\xf9\xdd"),
        ("eucjpms", b"\xad"),
        ("swe7", b"\x80"),
        ("utf8mb4", b"\xff"),
        ("ucs2", b"\xd8\x3d\xde\x00"),
        ("ascii", b"\x80"),
        ("cp1251", b"\x98"),
        ("greek", b"\xa4"),
    ],
)
def test_bytes_that_are_no_text_are_refused(charset: str, raw: bytes) -> None:
    with pytest.raises(Unreadable, match=charset):
        decoder(charset)(raw)


def test_an_unknown_character_set_is_refused_by_name() -> None:
    with pytest.raises(Unreadable, match="'klingon'"):
        decoder("klingon")


def column(data_type: str) -> Column:
    return Column("c", 0, data_type, data_type, nullable=True)


@pytest.mark.parametrize(
    ("data_type", "answer", "value"),
    [
        ("int", "00042", 42),
        ("year", "0000", 0),
        ("bit", b"\x03\xff", 1023),
        ("decimal", "-1.50", Decimal("-1.50")),
        ("float", "0.10000000149011612", 0.10000000149011612),
        ("char", "a ", "a"),
        ("varchar", "a ", "a "),
        ("binary", b"a\0", b"a\0"),
        ("json", '{"a":  1.50}', Json('{"a": 1.5}')),
        ("json", '~["2020-01-01"]', Json('["2020-01-01"]')),
        ("int", None, None),
    ],
)
def test_what_a_server_returns(data_type: str, answer: str | bytes | None, value: object) -> None:
    assert from_server(column(data_type), answer) == value


def test_an_answer_that_does_not_fit_is_refused() -> None:
    for data_type, answer in (("int", "x"), ("decimal", "x"), ("json", "{")):
        with pytest.raises(Unreadable, match=f"is no {data_type}"):
            from_server(column(data_type), answer)
    with pytest.raises(Unreadable, match="XML"):
        from_server(column("xml"), b"")


def test_floats_are_selected_as_doubles() -> None:
    assert select_form(column("float")).format("`f{}`") == "(`f{}` * 1e0)"
    assert select_form(column("int")).format("`i`") == "`i`"


@pytest.mark.parametrize(
    ("column_type", "expected"),
    [
        ("enum('a','b')", ("a", "b")),
        ("set('it''s','com,ma','par)en')", ("it's", "com,ma", "par)en")),
        (r"enum('back\\slash','new\nline','\\','''')", ("back\\slash", "new\nline", "\\", "'")),
        ("enum('')", ("",)),
        ("enum(x'f09f9880','x','b')", ("😀", "x", "b")),
        (r"enum('a\0b','c\\''d')", ("a\0b", "c\\'d")),
    ],
)
def test_labels(column_type: str, expected: tuple[str, ...]) -> None:
    assert labels(column_type) == expected


def test_integers_of_the_serialization_library() -> None:
    # One byte, two bytes, nine bytes; and zigzag for the signed ones.
    assert Buffer(bytes([5 << 1]), "it").varint() == 5
    assert Buffer(bytes([0b01, 0b11]), "it").varint() == 3 << 6
    assert Buffer(b"\xff" + (2**64 - 1).to_bytes(8, "little"), "it").varint() == 2**64 - 1
    assert [Buffer(bytes([n << 1]), "it").signed_varint() for n in (0, 1, 2, 3)] == [0, -1, 1, -2]
