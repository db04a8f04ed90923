"""Any bytes can be a log: none crashes the count, no part of it is read many times, and where its pieces end does not matter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replfix.core.explain.log import mention
from replfix.core.explain.log.server_words import Named, named
from replfix.workflow.explain.explanations import Counted, LogCount

SIZE = 60_000
MOST_READ = 40
"""How often a character can be looked at: by each of the lines of which it can be a part."""

PIECES = (
    b"Duplicate entry 'a' for key 'b.c'",
    b"Duplicate entry '",
    b"' for key '",
    b"'",
    b"\n",
    b"\n\n",
    b"\tat a.b.C(D.java:1)\n",
    b'  sqlMessage: "',
    b"Caused by: ",
    b"Traceback (most recent call last):\n",
    b"\nDuring handling of the above exception, another exception occurred:\n",
    b"2026-11-30 03:00:01.123 ",
    b"2026-11-30T03:00:01.123456789Z stderr P ",
    b"2026-11-30T03:00:01.123456789Z stderr F ",
    b"Nov 30 03:00:01 db1 postgres[100]: [0-1] ",
    b'ERROR:  duplicate key value violates unique constraint "k"',
    b"DETAIL:  Key (id)=(1) already exists.",
    b"STATEMENT:  insert into t values (1)",
    b'2026-11-30 03:00:01.123 UTC,"a","b",7,"c",6,3,"INSERT",2026-11-30 02:59:00 UTC,5/1,7,ERROR,23505,"',
    b'""',
    b'",',
    b'{"log":"',
    b'","stream":"stdout","time":"2026-11-30T03:00:01Z"}',
    b'{"MESSAGE":[68,117,112],"__REALTIME_TIMESTAMP":"1764471601123456"}',
    b'{"a":',
    b"\xff\xfe",
    b"\x00",
    b"\xe4",
    "Дублирующаяся запись '5' по ключу 'a.b'".encode("cp1251"),
    "は索引 '".encode(),
    b"99:99:99",
    b"9999-99-99 99:99:99",
    b"insert into t (a) values (",
)


class Pieces:
    """A log in pieces."""

    damaged: str | None = None

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    def chunks(self) -> Iterator[bytes | None]:
        yield from self._pieces


def count(*pieces: bytes) -> Counted:
    log = LogCount()
    log.read(Pieces(*pieces), lambda: None)
    return log.counted(None, follow=True)


logs = st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=20)), max_size=40).map(b"".join)


@given(logs, st.integers(1, 200))
def test_any_log_is_counted_wherever_its_pieces_end(log: bytes, size: int) -> None:
    whole = count(log)
    parts = count(*(log[at : at + size] for at in range(0, len(log), size)))
    assert (parts.bytes, parts.lines) == (whole.bytes, whole.lines) == (len(log), log.count(b"\n"))
    if log.isascii():  # what is no UTF-8 is found out from piece to piece
        assert [(g.key, g.count) for g in parts.groups] == [(g.key, g.count) for g in whole.groups]


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("before", [b"", PIECES[0]])
def test_no_part_of_a_log_is_read_again_and_again(monkeypatch: pytest.MonkeyPatch, piece: bytes, before: bytes) -> None:
    read = 0

    def counting(text: str) -> list[Named]:
        nonlocal read
        read += len(text)
        return named(text)

    monkeypatch.setattr(mention, "named", counting)
    for log in ((before + piece) * (SIZE // len(before + piece) + 1), before + piece * (SIZE // len(piece) + 1)):
        read = 0
        count(log[:SIZE])
        assert read <= MOST_READ * SIZE
