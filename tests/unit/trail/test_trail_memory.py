"""A trail is read in pages: what it takes does not grow with what is in it."""

from __future__ import annotations

import tracemalloc
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from replfix.audit import SqlTrail, trail
from replfix.audit.jsonl import read, to_line, write_file
from replfix.core.trail.audit_record import RecordKind, verify_chain

RECORDS, BYTES = 150, 200_000
PAGE = 1_000_000
MOST = 12 * PAGE  # a page in several forms; all of the trail would be 30 MB in one of them


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = f"sqlite:///{tmp_path_factory.mktemp('trail') / 'audit.db'}"
    with closing(SqlTrail.open(made)) as opened:
        for n in range(RECORDS):
            rows = {"n": n, "rows": "x" * BYTES}
            opened.append(RecordKind.REFUSED, incident="i", replica="r", channel="", payload=rows)
    return made


def exported(opened: SqlTrail, to: Path) -> None:
    write_file(to, map(to_line, opened.records()), not_over=None)
    assert verify_chain(read(to)).whole


WORK: dict[str, Callable[[SqlTrail, Path], object]] = {
    "verify": lambda opened, _: opened.verify(),
    "read": lambda opened, _: deque(opened.records(), maxlen=1),
    "export, and verify it": exported,
}


@pytest.mark.parametrize("work", WORK)
def test_it_takes_a_page_at_a_time(url: str, work: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "PAGE_BYTES", PAGE)
    with closing(SqlTrail.open(url)) as opened:
        tracemalloc.start()
        try:
            WORK[work](opened, tmp_path / "trail.jsonl")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < MOST
