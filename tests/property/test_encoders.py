"""What is encoded decodes to what it was: JSON, decimals, dates and times, texts in every character set."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pymysqlreplication.constants import FIELD_TYPE

from replfix.core.rows.json_text import Document, Typed, dump
from replfix.errors import Unreadable
from replfix.mysql.binlog.values import decimals, json_binary, json_writer, packing, temporal
from replfix.mysql.read.charsets import _PLAIN, _SINGLE_BYTE, _TRANSLATED, decoder, encoder

TYPED = st.one_of(
    st.decimals(-(10**20), 10**20, places=3).map(
        lambda number: Typed("DECIMAL(30,3)", json_text_number(number), format(number, "f"))
    ),
    st.dates().map(lambda day: Typed("DATE", str(day), str(day))),
    st.binary(max_size=300).map(lambda raw: Typed("BLOB", "", raw)),
)
DOCUMENTS: st.SearchStrategy[Document] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=200),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=8), st.dictionaries(st.text(max_size=20), inner, max_size=8)),
    max_leaves=40,
)


def json_text_number(number: Decimal) -> float:
    return float(number)


def in_the_servers_order(document: Document) -> Document:
    if isinstance(document, dict):
        keys = sorted(document, key=lambda key: (len(key.encode()), key.encode()))
        return {key: in_the_servers_order(document[key]) for key in keys}
    return [in_the_servers_order(item) for item in document] if isinstance(document, list) else document


@given(DOCUMENTS)
def test_json(document: Document) -> None:
    assert dump(json_binary.parse(json_writer.write(document))) == dump(in_the_servers_order(document))


@given(st.lists(TYPED, max_size=5))
def test_sql_types_inside_json(values: list[Typed]) -> None:
    read = json_binary.parse(json_writer.write(values))
    assert [(v.type, v.value) for v in read] == [(v.type, v.value) for v in values]


@given(st.integers(155, 170), st.text(min_size=1, max_size=3), st.integers(0, 3))
def test_documents_around_64_kilobytes(count: int, text: str, depth: int) -> None:
    document: Document = {"a": [text * 400] * count, "n": [1, -70000, 2**40, None, True]}
    for _ in range(depth):
        document = [document]
    assert json_binary.parse(json_writer.write(document)) == document


@given(st.data(), st.integers(1, 65))
def test_decimals(data: st.DataObject, precision: int) -> None:
    scale = data.draw(st.integers(0, min(precision, 30)))
    digits = data.draw(st.integers(-(10**precision) + 1, 10**precision - 1))
    number = Decimal(f"{digits}E-{scale}")
    assert decimals.reader(precision, scale)(packing.decimal(number, precision, scale)) == number


@given(
    st.integers(0, 6),
    st.booleans(),
    st.integers(0, 838),
    st.integers(0, 59),
    st.integers(0, 59),
    st.integers(0, 10**6 - 1),
)
def test_times(digits: int, negative: bool, hour: int, minute: int, second: int, micro: int) -> None:
    text = f"{hour:02d}:{minute:02d}:{second:02d}" + (f".{micro:06d}"[: digits + 1] if digits else "")
    assume(not negative or any(c not in "0:." for c in text))  # there is no -00:00:00
    text = "-" * negative + text
    assert temporal.time_of_day(digits)(packing.time_of_day(digits)(text)) == text


@given(st.integers(0, 6), st.datetimes())
def test_datetimes(digits: int, at: object) -> None:
    text = f"{at:%Y-%m-%d %H:%M:%S}".rjust(19, "0") + (f".{at:%f}"[: digits + 1] if digits else "")
    assert temporal.datetime(digits)(packing.datetime(digits)(text)) == text
    if "1970-01-02" < text < "2106":
        assert temporal.timestamp(digits)(packing.timestamp(digits)(text)) == text


@pytest.mark.parametrize("text", ["0000-00-00", "2020-02-00", "9999-12-31", "2021-02-31"])
def test_days_that_are_none(text: str) -> None:
    assert temporal.date(packing.date(text)) == text
    assert packing.json_temporal(FIELD_TYPE.DATE, text) >= 0


@pytest.mark.parametrize("charset", sorted({*_PLAIN, *_SINGLE_BYTE, *_TRANSLATED, "ucs2"}))
@given(st.text(max_size=30))
def test_a_text_is_written_as_it_reads_or_not_at_all(charset: str, text: str) -> None:
    try:
        data = encoder(charset)(text)
    except Unreadable:
        return
    assert decoder(charset)(data) == text


@pytest.mark.parametrize("charset", sorted(_SINGLE_BYTE))
def test_every_byte_of_a_single_byte_set_comes_back(charset: str) -> None:
    for byte in range(256):
        try:
            text = decoder(charset)(bytes([byte]))
        except Unreadable:
            continue
        again = encoder(charset)(text)
        assert len(again) == 1  # armscii8 has some characters twice
        assert decoder(charset)(again) == text
