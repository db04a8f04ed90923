"""The text form of GTID sets, and the form that COM_BINLOG_DUMP_GTID takes."""

from __future__ import annotations

import pytest

from replfix.core.replication.gtid import GtidSet
from replfix.mysql.binlog.events.gtids import encode

A = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
B = "9810d8ac-e58c-11f1-82f7-02fc00000001"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("", ""),
        (f"{A}:1", f"{A}:1"),
        (f"{A.upper()}:5:1-3:4", f"{A}:1-5"),
        (f"{B}:1,\n{A}:2-2", f"{A}:2,{B}:1"),
        (f"{A}:1:tag:3:5", f"{A}:1:tag:3:5"),
        (f"{A}:tag:1, {A}:1", f"{A}:1:tag:1"),
        (f"{A}:b_1:1:a:2", f"{A}:a:2:b_1:1"),
        (f"{A}:9223372036854775806", f"{A}:9223372036854775806"),
    ],
)
def test_text(text: str, normal: str) -> None:
    assert str(GtidSet.parse(text)) == normal


@pytest.mark.parametrize(
    "text",
    ["x", A, f"{A}:", f"{A}:0", f"{A}:3-2", f"{A}:a", f"{A}:a:b:1", f"{A}:1-", f"{A[:-1]}:1", f"{A}:-1", f"{A}:٣"],
)
def test_what_is_no_set(text: str) -> None:
    with pytest.raises(ValueError, match=r"GTID|tag"):
        GtidSet.parse(text)


def test_algebra() -> None:
    left = GtidSet.parse(f"{A}:1-10:tag:1-3,{B}:7")
    right = GtidSet.parse(f"{A}:3-4:9-20:tag:2")
    assert str(left - right) == f"{A}:1-2:5-8:tag:1:3,{B}:7"
    assert str(left & right) == f"{A}:3-4:9-10:tag:2"
    assert str(left | right) == f"{A}:1-20:tag:1-3,{B}:7"
    assert left & right <= right
    assert not left <= right
    assert f"{A}:tag:3" in left
    assert f"{A}:tag:4" not in left
    assert len(left) == 14
    assert not GtidSet()


def test_newest_first() -> None:
    assert list(GtidSet.parse(f"{A}:1-2:5:t:1").newest_first()) == [f"{A}:5", f"{A}:2", f"{A}:1", f"{A}:t:1"]


def test_of_uuid_keeps_every_tag() -> None:
    both = GtidSet.parse(f"{A}:1:t:2,{B}:1")
    assert str(both.of_uuid(A.upper())) == f"{A}:1:t:2"
    assert both.uuids() == {A, B}


def test_the_form_without_tags() -> None:
    raw = encode(GtidSet.parse(f"{A}:1-3:5"))
    assert raw.hex() == (
        "0100000000000000"
        + A.replace("-", "")
        + "0200000000000000"
        + "01000000000000000400000000000000"
        + "05000000000000000600000000000000"
    )
    assert encode(GtidSet()) == bytes(8)


def test_the_form_with_tags() -> None:
    # The count stands between two bytes that say 1: with tags (MySQL 8.3+). A tag's length is a varint.
    raw = encode(GtidSet.parse(f"{A}:1:tag:2"))
    origin = A.replace("-", "")
    assert raw.hex() == (
        "0102000000000001"
        + (origin + "00" + "0100000000000000" + "01000000000000000200000000000000")
        + (origin + "06" + b"tag".hex() + "0100000000000000" + "02000000000000000300000000000000")
    )


def test_the_newest_of_a_set() -> None:
    gtids = GtidSet.parse(f"{A}:1-5:8-9,{B}:1-3")
    assert str(gtids.newest(3)) == f"{A}:5:8-9,{B}:1-3"
    assert str(gtids.oldest(2)) == f"{A}:1-2,{B}:1-2"
    assert gtids.newest(100) == gtids.oldest(100) == gtids
    assert str(gtids.of_origin((B, ""))) == f"{B}:1-3"
    assert gtids.exactly((f"{A}:1", f"{B}:9", f"{A}:2")) == GtidSet.parse(f"{A}:1-2,{B}:9")


def test_what_comes_before_one_and_is_not_committed() -> None:
    executed, received = GtidSet.parse(f"{A}:1-3:6"), GtidSet.parse(f"{A}:2-9,{B}:1-3")
    assert str(executed.uncommitted_before(f"{A}:8", received)) == f"{A}:4-5:7"
    assert not executed.uncommitted_before(f"{A}:1", received)
    assert not executed.uncommitted_before(f"{A}:4", received)


def test_one_gtid_and_nothing_else() -> None:
    assert str(GtidSet.single(f"{A}:tag:7")) == f"{A}:tag:7"
    for text in ("", f"{A}:1-2", "x"):
        with pytest.raises(ValueError, match="GTID"):
            GtidSet.single(text)
