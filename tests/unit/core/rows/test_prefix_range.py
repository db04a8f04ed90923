"""Bounds of the values that begin in a given way."""

from __future__ import annotations

import pytest

from replfix.core.rows.prefix_range import bounds
from tests.unit.making import column


@pytest.mark.parametrize(
    ("collation", "start", "low", "top"),
    [
        ("utf8mb4_0900_ai_ci", "abc", "abc", "abc"),
        ("utf8mb4_0900_ai_ci", "abé", "ab", "ab"),
        ("utf8mb4_0900_ai_ci", "éé", None, None),
        ("utf8mb4_general_ci", "abc", "ab", "abc"),  # 'ab' with a control character behind it comes before 'ab'
        ("utf8mb4_general_ci", "a", None, "a"),
        ("utf8mb4_bin", "ab\x01", "a", "ab\x01"),
        ("utf8mb4_0900_bin", "ab\x01", "ab\x01", "ab\x01"),
        ("utf8mb4_cs_0900_ai_ci", "abc", None, None),  # 'ch' comes after 'cz'
        ("latin1_swedish_ci", "abc", None, None),
        ("utf8mb4_0900_ai_ci", "", None, None),
    ],
)
def test_bounds_of_text(collation: str, start: str, low: str | None, top: str | None) -> None:
    found = bounds(column("c", "varchar", charset="utf8mb4", collation=collation), start)
    assert found[0] == low
    assert (found[1] is None) == (top is None)
    if top is not None:
        assert str(found[1])[: len(top)] == top
        assert len(set(str(found[1])[len(top) :])) == 1


@pytest.mark.parametrize("start", [b"a\x00", b"\xff\xff"])
def test_bounds_of_bytes(start: bytes) -> None:
    low, high = bounds(column("c", "blob"), start)
    assert low == start
    assert isinstance(high, bytes)
    assert high.startswith(start + b"\xff")


def test_no_bounds_of_no_bytes() -> None:
    assert bounds(column("c", "blob"), b"") == (None, None)
