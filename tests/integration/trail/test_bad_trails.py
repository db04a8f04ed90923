"""An audit trail that cannot be written, at the beginning or from some moment on: nothing is changed on the servers, or it is
said and put right."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from replfix.lab.topology import Lab
from tests.integration.aftermath import Ground, ground_of
from tests.integration.failures.test_cut_wires import RESOLVE, assert_in_words, judge

PAGE = 4096


@pytest.fixture
def ground(pair: Lab) -> Iterator[Ground]:
    with ground_of(pair) as made:
        yield made


@contextmanager
def locked(trail: Path) -> Iterator[None]:
    with closing(sqlite3.connect(trail)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextmanager
def overwritten(trail: Path, at: int, size: int) -> Iterator[None]:
    content = trail.read_bytes()
    trail.write_bytes(content[:at] + b"\xa5" * size + content[at + size :])
    yield
    trail.write_bytes(content)


@contextmanager
def elsewhere(trail: Path) -> Iterator[None]:
    """On a file system where nobody makes files."""
    config = trail.with_name("replfix.toml")
    text = config.read_text()
    config.write_text(text.replace(f"sqlite:///{trail}", "sqlite:////proc/audit.db"))
    yield
    config.write_text(text)


BAD: dict[str, tuple[Callable[[Path], AbstractContextManager[None]], str]] = {
    "locked": (locked, "is locked by another process"),
    "no database": (lambda trail: overwritten(trail, 0, 16), "is no SQLite database"),
    "damaged": (lambda trail: overwritten(trail, PAGE, 1 << 20), "is damaged"),
    "unwritable": (elsewhere, "/proc/audit.db cannot be used"),
}


def test_a_trail_that_cannot_be_used(ground: Ground) -> None:
    ground.conflict()
    assert ground.command(*RESOLVE).code == 0
    kept = ground.trail.read_bytes()
    conflict = ground.conflict()
    ground.trail.write_bytes(kept)
    before = ground.rows()
    for bad, words in BAD.values():
        with bad(ground.trail):
            ran = ground.command(*RESOLVE, queueing=0.5)
        assert (ran.code, words in ran.err, "Next:" in ran.err) == (4, True, True), ran
        assert ground.rows() == before
        assert ground.stopped()
        ground.assert_settings()
    assert ground.command(*RESOLVE).code == 0
    ground.assert_healed(conflict)
    ground.assert_whole()


def test_a_disk_that_gets_full(ground: Ground) -> None:
    """At every page of the trail's file in turn, until there is room enough."""
    ground.conflict()
    ground.command(*RESOLVE)
    made = ground.trail.stat().st_size
    codes = []
    for room in (4 * PAGE, made - 3 * PAGE, made - 2 * PAGE, made - PAGE, made + 8 * PAGE):
        conflict = ground.conflict()
        ran = ground.command(*RESOLVE, room=room)
        assert_in_words(ran)
        judge(ground, conflict, ran)
        codes.append(ran.code)
    assert (codes[0], codes[-1]) == (4, 0), codes
