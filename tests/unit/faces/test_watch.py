"""The watch over all replicas: a thread for each, nothing lost, nobody held up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import pytest

from replfix.core.replication.replica_status import WorkerError
from replfix.errors import ConnectError
from replfix.present.channel_state import State
from replfix.tui import watch as module
from replfix.tui.watch import HISTORY, Watch
from tests.tui.backend import FakeBackend, running, stands
from tests.unit.making import channel

LIMIT = 10.0


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it never came to be so"
        time.sleep(0.002)


@pytest.fixture
def watching() -> Iterator[Callable[[FakeBackend], Watch]]:
    started: list[tuple[FakeBackend, Watch]] = []

    def start(backend: FakeBackend) -> Watch:
        watch = Watch(backend)
        started.append((backend, watch))
        watch.start()
        return watch

    yield start
    for backend, watch in started:
        watch.stop()
        backend.release()
        for thread in watch._threads:
            thread.join(LIMIT)
            assert not thread.is_alive()


Start = Callable[[FakeBackend], Watch]


def sequence(watch: Watch, name: str) -> int:
    seen = watch.seen(name)
    return seen.sequence if seen else 0


def test_every_replica_is_polled_again_and_again(watching: Start) -> None:
    watch = watching(FakeBackend(("db1", "db2"), poll_seconds=0.01))
    until(lambda: sequence(watch, "db1") >= 5 and sequence(watch, "db2") >= 5)


def test_what_was_not_polled_yet_is_not_known(watching: Start) -> None:
    backend = FakeBackend(("db1",))
    with backend.hold("poll db1"):
        watch = watching(backend)
        assert watch.seen("db1") is None
        assert watch.take_changed() == ()


def test_several_polls_between_two_looks_are_one_change(watching: Start) -> None:
    watch = watching(FakeBackend(("db1",), poll_seconds=0.005))
    until(lambda: sequence(watch, "db1") >= 5)
    (seen,) = watch.take_changed()
    assert seen.sequence >= 5


def test_what_was_taken_is_taken_once(watching: Start) -> None:
    watch = watching(FakeBackend(("db1", "db2"), poll_seconds=600))
    until(lambda: watch.seen("db1") and watch.seen("db2"))
    assert {seen.name for seen in watch.take_changed()} == {"db1", "db2"}
    assert watch.take_changed() == ()
    assert watch.seen("db1") is not None, "it can still be looked up"


def test_one_that_hangs_holds_up_nobody(watching: Start) -> None:
    backend = FakeBackend(("db1", "db2"), poll_seconds=0.01)
    with backend.hold("poll db1"):
        watch = watching(backend)
        until(lambda: sequence(watch, "db2") >= 10)
        assert watch.seen("db1") is None
        watch.poll_now("db1")
        assert sum(t.name == "poll db1" for t in threading.enumerate()) == 1, "asking again starts no second poll of it"


def test_an_error_takes_the_place_of_a_status(watching: Start) -> None:
    backend = FakeBackend(("db1",), poll_seconds=0.01)
    watch = watching(backend)
    until(lambda: watch.seen("db1"))
    backend.answers["db1"] = ConnectError("gone")
    until(lambda: (seen := watch.seen("db1")) is not None and seen.error is not None)
    seen = watch.seen("db1")
    assert seen is not None
    assert (seen.status, seen.channels, seen.error and seen.error.message) == (None, (), "gone")


def test_a_bug_does_not_end_the_thread(watching: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_SECONDS", 0.01)
    backend = FakeBackend(("db1",), poll_seconds=0.01, answers={"db1": ZeroDivisionError("oops")})
    watch = watching(backend)
    until(lambda: sequence(watch, "db1") >= 3)
    seen = watch.seen("db1")
    assert seen is not None
    assert seen.error is not None
    assert seen.error.message == "Polling failed: ZeroDivisionError: oops"
    backend.answers["db1"] = stands(running(7))
    until(lambda: (seen := watch.seen("db1")) is not None and seen.status is not None)


def test_one_that_cannot_be_reached_is_asked_less_often(watching: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BACKOFF_SECONDS", 600.0)
    watch = watching(FakeBackend(("db1", "db2"), poll_seconds=0.01, answers={"db1": ConnectError("gone")}))
    until(lambda: sequence(watch, "db2") >= 20)
    assert sequence(watch, "db1") == 1


def test_poll_now_wakes_one_or_all(watching: Start) -> None:
    watch = watching(FakeBackend(("db1", "db2"), poll_seconds=600))
    until(lambda: sequence(watch, "db1") == sequence(watch, "db2") == 1)
    watch.poll_now("db1")
    until(lambda: sequence(watch, "db1") == 2)
    assert sequence(watch, "db2") == 1
    watch.poll_now()
    until(lambda: (sequence(watch, "db1"), sequence(watch, "db2")) == (3, 2))


def test_the_history_of_lag_is_by_channel_and_bounded(watching: Start) -> None:
    backend = FakeBackend(("db1",), poll_seconds=600, answers={"db1": stands(running(0), running(100, "eu"))})
    watch = watching(backend)
    for turn in range(1, HISTORY + 4):
        until(partial(lambda n: sequence(watch, "db1") == n, turn))
        backend.answers["db1"] = stands(running(turn), running(None, "eu"))
        watch.poll_now("db1")
    until(lambda: sequence(watch, "db1") == HISTORY + 4)
    seen = watch.seen("db1")
    assert seen is not None
    assert seen.lag_of("") == tuple(range(4, HISTORY + 4))
    assert seen.lag_of("eu") == (None,) * HISTORY
    assert seen.lag_of("nowhere") == ()


@pytest.mark.parametrize("recorded", [datetime(2026, 3, 1, 3, 12, 5, tzinfo=UTC), None])
def test_an_error_is_as_old_as_its_server_says(watching: Start, recorded: datetime | None) -> None:
    failed = WorkerError(1, 1062, "Duplicate entry", None, at=recorded)
    watch = watching(FakeBackend(("db1",), answers={"db1": stands(channel(worker_errors=(failed,)))}))
    until(lambda: watch.seen("db1"))
    seen = watch.seen("db1")
    assert seen is not None
    since = seen.since[""]
    assert (since.state, since.at_least) == (State.ERROR, recorded is None)
    assert since.at == recorded or (recorded is None and since.at.year > 2025)


def test_what_was_seen_does_not_change_afterwards(watching: Start) -> None:
    backend = FakeBackend(("db1",), poll_seconds=600, answers={"db1": stands(running(1))})
    watch = watching(backend)
    until(lambda: watch.seen("db1"))
    before = watch.seen("db1")
    backend.answers["db1"] = stands(running(2))
    watch.poll_now("db1")
    until(lambda: sequence(watch, "db1") == 2)
    assert before is not None
    assert (before.sequence, before.lag_of("")) == (1, (1,))


def test_stop_ends_threads_that_wait_for_their_turn() -> None:
    watch = Watch(FakeBackend(("db1",), poll_seconds=600))
    watch.start()
    until(lambda: watch.seen("db1"))
    watch.stop()
    for thread in watch._threads:
        thread.join(LIMIT)
        assert not thread.is_alive()


def test_threads_do_not_keep_the_process() -> None:
    watch = Watch(FakeBackend(("db1",), poll_seconds=600))
    watch.start()
    assert all(thread.daemon for thread in watch._threads)
    watch.stop()
