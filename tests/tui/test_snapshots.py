"""What three screens look like, as pictures. ``pytest tests/tui/test_snapshots.py --snapshot-update`` takes them anew."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from textual.pilot import Pilot

from replfix.errors import ConnectError
from replfix.tui.app import ReplfixApp
from replfix.tui.watch import HISTORY
from tests.tui.backend import Answer, FakeBackend, diagnosis_of, failing, running, stands, stopped_by_hand

SIZE = (100, 30)
LIMIT = 20.0
Compare = Callable[..., bool]


@pytest.fixture
def pictured(snap_compare: Compare) -> Callable[..., bool]:
    """Compare a picture of the app on that backend, after ``keys`` and once all ``words`` are on the screen."""

    def compare(backend: FakeBackend, *words: str, keys: tuple[str, ...] = (), polls: int = 1) -> bool:
        app = ReplfixApp(backend, open_incident=not polls > 1, animate=False)

        async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
            deadline = time.monotonic() + LIMIT
            while not condition():
                assert time.monotonic() < deadline, f"{words} never came"
                await pilot.pause(0.01)

        def text() -> str:
            strips = app.screen._compositor.render_strips()
            return "\n".join("".join(segment.text for segment in strip) for strip in strips)

        async def before(pilot: Pilot[None]) -> None:
            await until(pilot, lambda: all(backend.polls.get(n, 0) > polls or n == "db7" for n in backend.names))
            await until(pilot, lambda: words[0] in text())
            for key in keys:
                await pilot.press(key)
            await until(pilot, lambda: all(w in text() for w in words[1:]))
            await pilot.pause()

        try:
            return snap_compare(app, terminal_size=SIZE, run_before=before)
        finally:
            backend.release()

    return compare


def test_fleet(pictured: Callable[..., bool]) -> None:
    answers: dict[str, Answer] = {
        "db1": stands(running(0)),
        "db2": stands(failing(), running(3, "eu")),
        "db3": stands(running(12)),
        "db4": stands(stopped_by_hand()),
        "db6": ConnectError("Cannot connect to db6:3306: connection refused.", "Is the server up?"),
    }
    backend = FakeBackend(("db1", "db2", "db3", "db4", "db6", "db7"), answers=answers, poll_seconds=0.02)
    with backend.hold("poll db7"):
        assert pictured(backend, "12 s", "? unreachable", "· asking", polls=HISTORY)


def test_incident(pictured: Callable[..., bool]) -> None:
    backend = FakeBackend.broken(diagnosis_of(unknowns=("The binlog before binlog.000001 is gone.",)))
    assert pictured(backend, "Conflicts: 1", "nothing more ahead")


def test_plan(pictured: Callable[..., bool]) -> None:
    assert pictured(FakeBackend.broken(), "Conflicts", "Rehearsed:", keys=("p", "h"))
