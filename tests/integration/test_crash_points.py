"""kill -9 at one point of a command after the other, then the next command, then the judge.

In a test run the points are those where something is written, and a sample of the others; REPLFIX_CRASH_POINTS=all takes
every one, and each of them with both next commands.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from replfix.lab.topologies import no_gtid
from replfix.lab.topology import Lab
from tests.integration.aftermath import Conflict, Ground, Twins, ground_of

ALL = os.environ.get("REPLFIX_CRASH_POINTS") == "all"
SAMPLED = 100  # of the points at which nothing is written, one in so many

KILLED = -9

_WRITTEN = ("COMMIT", "SET GLOBAL", "START REPLICA", "STOP REPLICA", "file")
_FIRST = ("file", "trail CREATE", "trail INSERT")

RESOLVE = ("resolve", "replica1", "--yes", "--json")
RECOVER = ("recover", "replica1", "--json")


SKIP = (*RESOLVE, "--strategy", "skip")
KEEP_BOTH = (*RESOLVE, "--strategy", "keep-both")

COMMITTED = "answered COMMIT"
SET_GOING = "answered START REPLICA SQL_THREAD UNTIL"


@dataclass
class Attempt:
    """A conflict, a command that does something about it, and what does the same once it was killed, with its judge."""

    conflict: Conflict
    command: tuple[str, ...]
    ended: Callable[[Ground, Conflict], None]


class Points:
    """Those of one command, enumerated by a run of it that nobody disturbs."""

    def __init__(self, ground: Ground, directory: Path, prepare: Callable[[], Attempt]) -> None:
        self._ground = ground
        self._log = str(directory / "points")
        self._prepare = prepare
        attempt = prepare()
        ran = ground.command(*attempt.command, dying=(self._log, 0))
        assert ran.code == 0, ran
        self._reached = self._lines()
        self._judge(attempt, recover=False)

    def _lines(self) -> list[str]:
        return Path(self._log).read_text().splitlines()

    def _chosen(self, one_in: int) -> Iterator[int]:
        first = next(n for n, what in enumerate(self._reached) if what.startswith(_FIRST))
        written, quiet = [], []
        for n, what in enumerate(self._reached, 1):
            (written if n > first and what.split(" ", 1)[1].startswith(_WRITTEN) else quiet).append(n)
        return (
            iter(range(1, len(self._reached) + 1)) if ALL else iter((*written[::one_in], *quiet[:: one_in * SAMPLED]))
        )

    def judge(self, one_in: int = 1) -> None:
        """Kill at every one of them, or at one in so many."""
        for n in self._chosen(one_in):
            for recover in (True, False) if ALL else (n % 2 == 0,):
                attempt = self._prepare()
                ran = self._ground.command(*attempt.command, dying=(self._log, n))
                reached = self._lines()
                # Statuses are polled: some runs have more of them.
                assert ran.code == KILLED or (ran.code == 0 and len(reached) < n), ran
                try:
                    self._judge(attempt, recover)
                except BaseException as error:
                    error.add_note(f"killed at point {n} of {len(self._reached)}, which is: {reached[-1]}")
                    error.add_note("then " + ("recover" if recover else "the same command again"))
                    raise

    def _judge(self, attempt: Attempt, recover: bool) -> None:
        ground, conflict = self._ground, attempt.conflict
        if recover:
            ran = ground.until_free(*RECOVER)
            assert ran.code == 0, ran
            ground.assert_settings()
            ground.assert_kept(set(conflict.local) - set(ground.rows()))
            if ground.told():
                ground.assert_whole()
                ground.assert_told_truly(conflict, of_undo=attempt.command[0] == "undo")
        attempt.ended(ground, conflict)
        ground.assert_settings()
        ground.assert_whole()
        ground.assert_told_truly(conflict, of_undo=attempt.command[0] == "undo")


def resolved(ground: Ground, conflict: Conflict) -> None:
    ran = ground.until_free(*RESOLVE)
    assert ran.code == 0, ran
    ground.assert_healed(conflict)


def left_out(ground: Ground, conflict: Conflict) -> None:
    ran = ground.until_free(*SKIP)
    assert ran.code == 0, ran
    ground.assert_left_out(conflict)


def kept(ground: Ground, conflict: Conflict) -> None:
    ran = ground.until_free(*KEEP_BOTH)
    if ran.code == 4 and "keep-both is not possible here" in ran.out:
        # The row is out of the way already, and in the trail.
        ran = ground.command(*RESOLVE)
    assert ran.code == 0, ran
    ground.assert_kept_on_source(conflict)


def undone(ground: Ground, conflict: Conflict) -> None:
    ran = ground.until_free("undo", ground.told_id(), "--yes", "--json")
    assert ran.code == 0 or (ran.code == 4 and "undone already" in ran.err), ran
    ground.assert_running(conflict)
    rows = set(ground.rows())
    assert set(conflict.local) <= rows
    assert rows - set(conflict.local) == set(ground.rows(ground.source))


@pytest.fixture
def ground(pair: Lab) -> Iterator[Ground]:
    with ground_of(pair) as made:
        yield made


def test_a_resolution(any_pair: Lab, tmp_path: Path) -> None:
    one_in = 2 if any_pair.provision.flavour.product == "MySQL" else 8
    with ground_of(any_pair) as ground:
        Points(ground, tmp_path, lambda: Attempt(ground.conflict(), RESOLVE, resolved)).judge(one_in)


@pytest.mark.parametrize("at", [COMMITTED, SET_GOING])
def test_a_recovery(ground: Ground, tmp_path: Path, at: str) -> None:
    def prepare() -> Attempt:
        conflict = ground.conflict()
        ran = ground.command(*RESOLVE, dying=(str(tmp_path / "first"), at))
        assert ran.code == KILLED, ran
        ground.wait_for_sessions_to_end()
        return Attempt(conflict, RECOVER, resolved)

    Points(ground, tmp_path, prepare).judge(3)


def test_an_undo(ground: Ground, tmp_path: Path) -> None:
    def prepare() -> Attempt:
        ground.take_back(Conflict(ground.made))
        conflict = ground.conflict()
        resolved(ground, conflict)
        ground.make_room(conflict)
        return Attempt(conflict, ("undo", ground.told_id(), "--yes", "--json"), undone)

    Points(ground, tmp_path, prepare).judge(5)


def test_rows_that_are_kept_on_the_source_too(ground: Ground, tmp_path: Path) -> None:
    Points(ground, tmp_path, lambda: Attempt(ground.conflict(Twins), KEEP_BOTH, kept)).judge(6)


def test_a_skip(ground: Ground, tmp_path: Path) -> None:
    Points(ground, tmp_path, lambda: Attempt(ground.conflict(), SKIP, left_out)).judge(5)


def test_a_skip_without_gtids(pair: Lab, tmp_path: Path) -> None:
    no_gtid.connect(pair.source, pair.replica)
    try:
        with ground_of(pair) as ground:
            Points(ground, tmp_path, lambda: Attempt(ground.conflict(), SKIP, left_out)).judge(5)
    finally:
        no_gtid.undo(pair.source, pair.replica)
