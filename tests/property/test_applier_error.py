"""The parser never raises, and gives back what a server-like message was made of."""

from __future__ import annotations

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from replfix.core.replication.applier_error import parse

WORDS = st.sampled_from(
    [
        "Worker 1 failed executing transaction '", "Coordinator stopped because ", "' at source log ", ", end_log_pos ", "; ",
        "Could not execute Write_rows event on table ", "Duplicate entry '", "' for key '", "', Error_code: ", "1062",
        "the event's source log ", " on query. Default database: '", "'. Query: '", "Error '", "9" * 30, "x", "\n",
    ]
)  # fmt: skip


@given(st.lists(WORDS | st.text(max_size=5), max_size=30).map("".join), st.integers(), st.none() | st.text())
def test_it_never_raises(message: str, errno: int, gtid: str | None) -> None:
    error = parse(errno, message, gtid)
    assert (error.errno, error.message) == (errno, message)


CONTROLS: tuple[Literal["C"], ...] = ("C",)
NAMES = st.text(st.characters(exclude_characters=";'", exclude_categories=CONTROLS), min_size=1, max_size=20)
UUIDS = st.uuids().map(str)


@given(
    gtid=st.builds("{}:{}".format, UUIDS, st.integers(1, 2**63 - 2)),
    schema=NAMES,
    table=NAMES,
    key=NAMES,
    value=st.text(st.characters(exclude_categories=CONTROLS), max_size=64),
    event=st.sampled_from(["Write_rows", "Update_rows"]),
    word=st.sampled_from(["source", "master"]),
    position=st.integers(4, 2**64 - 1),
)
def test_it_gives_back_what_a_server_put_in(
    gtid: str, schema: str, table: str, key: str, value: str, event: str, word: str, position: int
) -> None:
    error = parse(
        1062,
        f"Worker 2 failed executing transaction '{gtid}' at {word} log b.000002, end_log_pos {position}; Could not execute "
        f"{event} event on table {schema}.{table}; Duplicate entry '{value}' for key '{table}.{key}', Error_code: 1062; handler "
        f"error HA_ERR_FOUND_DUPP_KEY; the event's {word} log b.000002, end_log_pos {position}",
    )
    assert (error.gtid, error.event, error.table) == (gtid, event, f"{schema}.{table}")
    assert (error.key, error.shown_value) == (f"{table}.{key}", value)
    assert (error.log_file, error.end_log_pos) == ("b.000002", position)
