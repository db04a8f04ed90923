"""GTID sets against Python's sets of numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from replfix.core.replication.gtid import GtidSet

ORIGINS = [
    ("3e11fa47-71ca-11e1-9e33-c80aa9429562", ""),
    ("3e11fa47-71ca-11e1-9e33-c80aa9429562", "tag"),
    ("9810d8ac-e58c-11f1-82f7-02fc00000001", ""),
]
Element = tuple[tuple[str, str], int]
elements = st.sets(st.tuples(st.sampled_from(ORIGINS), st.integers(1, 25)), max_size=40)


def text(element: Element) -> str:
    (uuid, tag), number = element
    return f"{uuid}:{tag}:{number}" if tag else f"{uuid}:{number}"


def of(numbers: set[Element]) -> GtidSet:
    return GtidSet.parse(",".join(map(text, numbers)))


@given(elements, elements)
def test_it_behaves_like_a_set(left: set[Element], right: set[Element]) -> None:
    assert of(left) - of(right) == of(left - right)
    assert of(left) | of(right) == of(left | right)
    assert of(left) & of(right) == of(left & right)
    assert (of(left) <= of(right)) == (left <= right)
    assert len(of(left)) == len(left)
    assert bool(of(left)) == bool(left)
    assert all((text(element) in of(left)) == (element in left) for element in left | right)


@given(elements)
def test_its_text_reads_back(numbers: set[Element]) -> None:
    gtids = of(numbers)
    assert GtidSet.parse(str(gtids)) == gtids
    assert sorted(gtids.newest_first()) == sorted(map(text, numbers))


@given(st.text(alphabet="0123456789abcdef-:, \nt", max_size=80))
def test_any_text_is_a_set_or_a_value_error(anything: str) -> None:
    try:
        gtids = GtidSet.parse(anything)
    except ValueError:
        return
    assert GtidSet.parse(str(gtids)) == gtids
