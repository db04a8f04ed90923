"""Any text can be given to be explained: none crashes it, and none takes it long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replfix.core.explain import insert
from replfix.core.explain.explain_error import explain
from replfix.core.explain.explanation import Case
from replfix.core.explain.read_text import MOST, readings
from replfix.core.explain.recognise import recognise

SIZE = 100_000
SECONDS = 1.0  # the worst takes 0.2 s here

PIECES = (
    "Duplicate entry '",
    "' for key '",
    "'",
    "\\'",
    '"',
    "`",
    "\n",
    "{",
    '{"a": "',
    "&#039;",
    "\\u0027",
    "1062",
    "SQLSTATE[23000]: Integrity constraint violation: 1062 ",
    "(SQL: insert into t (a) values (",
    "[SQL: INSERT INTO ",
    "Worker 1 failed executing transaction '",
    "Could not execute Write_rows event on table ",
    "; ",
    "' on query. Default database: '",
    "'. Query: '",
    "An exception occurred while executing '",
    "WordPress database error ",
    "ER_DUP_ENTRY",
    "sql: '",
    'duplicate key value violates unique constraint "',
    "DETAIL:  Key (",
    ")=(",
    ") already exists",
    " は索引 '",
    "insert into ",
    "values (",
    "(",
    ",",
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\ud800",
)


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=20)), max_size=40))
def test_any_text_is_taken_apart_or_left(pieces: list[str]) -> None:
    for duplicate in recognise("".join(pieces)):
        said = insert.read(duplicate.statement) if duplicate.statement else None
        explain(Case(duplicate, said, None))


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize(
    "before", ["", "Duplicate entry 'a' for key 'b'", 'duplicate key value violates unique constraint "x" ']
)
def test_no_text_takes_long(piece: str, before: str) -> None:
    text = ((before + piece) * (SIZE // len(before + piece) + 1))[:SIZE]
    texts = (text, before + (piece * (SIZE // len(piece) + 1))[:SIZE])
    for each in texts:
        begun = time.process_time()
        for duplicate in recognise(each)[:20]:
            insert.read(duplicate.statement or "")
        insert.read(each)
        assert time.process_time() - begun < SECONDS


@given(st.text("-ab", max_size=30), st.integers(1, 5))
def test_every_reading_joins_to_the_value(value: str, parts: int) -> None:
    found = readings(value, parts)
    assert all("-".join(reading) == value and len(reading) == parts for reading in found)
    assert len(set(found)) == len(found) <= MOST
    if value.count("-") == parts - 1:
        assert len(found) == 1


@given(st.lists(st.text(max_size=10), min_size=1, max_size=4))
def test_the_values_that_were_joined_are_among_the_readings(values: list[str]) -> None:
    joined = "-".join(values)
    found = readings(joined, len(values))
    assert tuple(values) in found or len(found) == MOST
