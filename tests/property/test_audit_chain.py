"""Whatever is done to a trail, verify sees it: for any records, any field, any byte."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replfix.audit.jsonl import from_line, read, to_line
from replfix.core.trail.audit_record import (
    START,
    AuditRecord,
    Breakage,
    Head,
    Illegible,
    RecordKind,
    canonical,
    chained,
    verify_chain,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
payloads = st.dictionaries(texts, values, max_size=4)
links = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(RecordKind),
        "incident": texts,
        "replica": texts,
        "channel": texts,
        "author": texts,
        "recorded_at": st.datetimes(timezones=st.just(UTC)),
        "payload": payloads.map(canonical),
    }
)


@st.composite
def trails(draw: st.DrawFn, min_size: int = 1, max_size: int = 6) -> list[AuditRecord]:
    head, records = START, []
    for link in draw(st.lists(links, min_size=min_size, max_size=max_size)):
        record = chained(head, version="1", **link)
        records.append(record)
        head = Head(record.seq, record.hash)
    return records


def head_of(records: list[AuditRecord]) -> Head:
    return Head(records[-1].seq, records[-1].hash) if records else START


def exported(records: list[AuditRecord]) -> bytes:
    return b"".join(to_line(record) for record in records)


def imported(content: bytes) -> list[AuditRecord | Illegible]:
    return [from_line(line) for line in content.splitlines(keepends=True)]


@given(trails(min_size=0))
def test_an_untouched_trail_is_whole(records: list[AuditRecord]) -> None:
    verification = verify_chain(records, head_of(records))
    assert verification.whole
    assert verification.head == head_of(records)
    assert verification.records == len(records)


@given(trails())
def test_export_is_lossless(records: list[AuditRecord]) -> None:
    content = exported(records)
    assert content.count(b"\n") == len(records)
    assert imported(content) == records


@given(payloads)
def test_a_payload_comes_back_equal_and_has_one_form(payload: dict[str, object]) -> None:
    text = canonical(payload)
    assert json.loads(text) == payload
    assert canonical(json.loads(text)) == text
    assert canonical(dict(reversed(payload.items()))) == text


HASHED = [f.name for f in fields(AuditRecord) if f.name not in ("key_id", "signature")]
"""A signature is judged by its key: tests/unit/trail/test_audit_keys.py."""


@given(trails(), st.data())
def test_any_changed_field_is_found_and_named(records: list[AuditRecord], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    field = data.draw(st.sampled_from(HASHED))
    old = getattr(records[at], field)
    new = data.draw((st.integers(1, 10**9) if field == "seq" else texts).filter(lambda value: value != old))
    changes: dict[str, Any] = {field: new}
    tampered = [*records[:at], replace(records[at], **changes), *records[at + 1 :]]
    verification = verify_chain(tampered, head_of(records))
    assert at + 1 in {found.seq for found in verification.breaks}


@given(trails(), st.data())
def test_a_record_written_anew_with_a_fitting_hash_is_found(records: list[AuditRecord], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    forged = replace(records[at], author=records[at].author + "x")
    forged = replace(forged, hash=forged.computed_hash())
    tampered = [*records[:at], forged, *records[at + 1 :]]
    first = verify_chain(tampered, head_of(records)).first
    assert first is not None
    assert (first.kind, first.seq, first.record_id) == (Breakage.CHANGED, at + 1, forged.id)


@given(trails(), st.data())
def test_any_removed_run_is_found_and_named(records: list[AuditRecord], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(records) - 1))
    stop = data.draw(st.integers(start + 1, len(records)))
    verification = verify_chain(records[:start] + records[stop:], head_of(records))
    assert [(found.kind, found.seq) for found in verification.breaks] == [(Breakage.REMOVED, start + 1)]


@given(trails(min_size=2), st.data())
def test_any_two_lines_swapped_are_found(records: list[AuditRecord], data: st.DataObject) -> None:
    one, other = sorted(data.draw(st.sets(st.integers(0, len(records) - 1), min_size=2, max_size=2)))
    swapped = list(records)
    swapped[one], swapped[other] = swapped[other], swapped[one]
    verification = verify_chain(swapped, head_of(records))
    assert verification.breaks
    assert {found.kind for found in verification.breaks} == {Breakage.REORDERED}
    assert one + 1 in {found.seq for found in verification.breaks}


@given(trails(min_size=2), st.data())
def test_any_two_numbers_swapped_are_found_and_named(records: list[AuditRecord], data: st.DataObject) -> None:
    """As someone does in the database: the records change places and take each other's number."""
    one, other = sorted(data.draw(st.sets(st.integers(0, len(records) - 1), min_size=2, max_size=2)))
    swapped = list(records)
    swapped[one] = replace(records[other], seq=one + 1)
    swapped[other] = replace(records[one], seq=other + 1)
    verification = verify_chain(swapped, head_of(records))
    moved = {found.seq for found in verification.breaks if found.kind is Breakage.REORDERED}
    assert moved == {one + 1, other + 1}


@given(trails(), st.data())
def test_a_line_there_twice_is_found(records: list[AuditRecord], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    verification = verify_chain([*records[: at + 1], *records[at:]], head_of(records))
    assert [(found.kind, found.seq) for found in verification.breaks] == [(Breakage.REPEATED, at + 1)]


@given(trails(max_size=3), st.data())
def test_any_changed_byte_of_an_export_is_found(records: list[AuditRecord], data: st.DataObject) -> None:
    content = exported(records)
    at = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != content[at]))
    tampered = content[:at] + bytes([byte]) + content[at + 1 :]
    assert not verify_chain(imported(tampered)).whole


@given(trails(max_size=3), st.data())
def test_any_byte_put_in_or_taken_out_of_an_export_is_found(records: list[AuditRecord], data: st.DataObject) -> None:
    content = exported(records)
    at = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    assert not verify_chain(imported(content[:at] + content[at + 1 :])).whole
    assert not verify_chain(imported(content[:at] + byte + content[at:])).whole


def test_every_bit_of_every_byte_of_an_export(tmp_path: Path) -> None:
    head, records = START, []
    for n in range(3):
        row = {"id": n, "name": "Zoë\x00", "blob": {"base64": "AAE="}, "price": "1.50", "nothing": None}
        record = chained(
            head,
            recorded_at=datetime(2026, 3, 1, 12, n, tzinfo=UTC),
            kind=RecordKind.INTENT,
            incident="i",
            replica="r",
            channel="",
            author="dba@here",
            version="1",
            payload=canonical({"plan": {"steps": [{"current": row}]}}),
        )
        records.append(record)
        head = Head(record.seq, record.hash)
    content = exported(records)
    assert verify_chain(imported(content), head).whole
    for at in range(len(content)):
        for bit in range(8):
            tampered = bytearray(content)
            tampered[at] ^= 1 << bit
            assert not verify_chain(imported(bytes(tampered)), head).whole, (at, bit)


@given(trails(min_size=2), st.data())
def test_a_selection_is_judged_by_what_is_in_it(records: list[AuditRecord], data: st.DataObject) -> None:
    kept = sorted(data.draw(st.sets(st.integers(0, len(records) - 1), min_size=1)))
    selected = [records[at] for at in kept]
    assert verify_chain(selected, selection=True).whole
    tampered = [replace(selected[0], author=selected[0].author + "x"), *selected[1:]]
    assert not verify_chain(tampered, selection=True).whole


@given(trails(min_size=2))
def test_an_end_cut_off_shows_by_the_head_alone(records: list[AuditRecord]) -> None:
    cut = records[:-1]
    assert verify_chain(cut).whole
    assert not verify_chain(cut, head_of(records)).whole
    assert not verify_chain(cut, ends_with=records[-1].id).whole
    assert verify_chain(records, ends_with=records[-1].id.upper()).whole
    assert not verify_chain([], ends_with=records[-1].id).whole


@given(st.binary(max_size=60))
def test_no_line_makes_the_reader_fail(line: bytes) -> None:
    assert isinstance(from_line(line), Illegible)


@pytest.mark.parametrize(
    "line", [b"[" * 100_000, b'{"payload":' * 50_000, b"1" * 5000, b'{"seq":NaN}', b"null\n", b"{}\n", b"\xff\n", b"\n"]
)
def test_hostile_lines(line: bytes, tmp_path: Path) -> None:
    assert isinstance(from_line(line), Illegible)
    (tmp_path / "x").write_bytes(line)
    assert not verify_chain(read(tmp_path / "x")).whole


def test_a_payload_that_is_no_json_is_exported_as_it_stands() -> None:
    record = chained(
        START,
        recorded_at=datetime(2026, 3, 1, tzinfo=UTC),
        kind=RecordKind.INTENT,
        incident="i",
        replica="r",
        channel="",
        author="a",
        version="1",
        payload="{}",
    )
    for payload in ("not json", '{ "a": 1}', '{"a":"\\ud800"}', "[]", "[" * 100_000):
        tampered = replace(record, payload=payload)
        assert from_line(to_line(tampered)) == tampered
        assert not verify_chain([tampered]).whole
