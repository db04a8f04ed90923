"""kill -9 at one point of a command after the other, then the next command, then the judge.

In a test run the points are those where something is written, and a sample of the others, on MySQL; REPLFIX_CRASH_POINTS=all takes
every one on each server with ``recover`` next, and with the same command again wherever it finds something else than at the points
before and behind.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from replfix.lab.topologies import no_gtid
from replfix.lab.topology import Lab
from tests.integration.accidents import Accidents
from tests.integration.aftermath import Conflict, DeletedTwice, Ground, Overtaking, Picture, Several, Twins, ground_of
from tests.integration.running import Ran
from tests.skipping import may_skip

ALL = os.environ.get("REPLFIX_CRASH_POINTS") == "all"
pytestmark = [pytest.mark.timeout(0)] if ALL else []
SAMPLED = 100  # of the points at which nothing is written, one in so many

KILLED = -9

_WRITTEN = ("COMMIT", "SET GLOBAL", "START REPLICA", "STOP REPLICA", "file")
_READ = ("answered SELECT", "answered SHOW")  # as when the next statement was sent: that is a point too
_FIRST = ("file", "trail CREATE", "trail INSERT")

RESOLVE = ("resolve", "replica1", "--yes", "--json")
RECOVER = ("recover", "replica1", "--json")


SKIP = (*RESOLVE, "--strategy", "skip")
KEEP_BOTH = (*RESOLVE, "--strategy", "keep-both")
REPLICA_WINS = (*RESOLVE, "--strategy", "replica-wins")

COMMITTED = "answered COMMIT"
SET_GOING = "answered START REPLICA"
SET_GOING_AGAIN = "answered START REPLICA FOR"


@dataclass
class Attempt:
    """A conflict, a command that does something about it, and what does the same once it was killed, with its judge."""

    conflict: Conflict
    command: tuple[str, ...]
    ended: Callable[[Ground, Conflict], None]


Place = tuple[int, bool]
"""The number of a point, and whether ``recover`` comes next or the same command again."""


class Points:
    """Those of one command, enumerated by a run of it that nobody disturbs."""

    def __init__(self, ground: Ground, directory: Path, prepare: Callable[[], Attempt]) -> None:
        self._ground = ground
        self._log = str(directory / "points")
        self._prepare = prepare
        self._left: dict[int, object] = {}
        attempt = prepare()
        ran = ground.command(*attempt.command, dying=(self._log, 0))
        assert ran.code == 0, ran
        self._reached = self._lines()
        self._put_right(attempt)

    def _lines(self) -> list[str]:
        return Path(self._log).read_text().splitlines()

    def _chosen(self, one_in: int) -> list[int]:
        if ALL:
            return [n for n, what in enumerate(self._reached, 1) if not what.startswith(_READ)]
        if one_in == 0:
            return []
        first = next(n for n, what in enumerate(self._reached) if what.startswith(_FIRST))
        written: list[int] = []
        quiet: list[int] = []
        for n, what in enumerate(self._reached, 1):
            (written if n > first and what.split(" ", 1)[1].startswith(_WRITTEN) else quiet).append(n)
        return sorted([*written[::one_in], *quiet[:: one_in * SAMPLED]])

    def judge(self, one_in: int = 1, *, always: Sequence[tuple[str, bool]] = ()) -> None:
        """Kill at every one of them, or at one in so many, with 0 at none. ``always``: at the first that begins so, and whether
        ``recover`` comes next; something went wrong there once."""
        accidents = Accidents[Attempt, Place](
            self._ground,
            self._prepare,
            self._kill,
            self._judge,
            self._put_right,
            full=ALL,
        )

        def places() -> Iterator[Place]:
            chosen = self._chosen(one_in)
            if ALL:
                yield from ((n, True) for n in chosen)
                yield from ((n, False) for n in chosen if self._leaves_its_own(n))
                return
            yield from ((n, n % 2 == 0) for n in chosen)
            for words, recover in always:
                yield next(n for n, what in enumerate(self._reached, 1) if what.startswith(words)), recover

        accidents.at(places(), self._told)

    def _leaves_its_own(self, n: int) -> bool:
        """Something, and not what a kill at the points right before and right behind it leaves too: what the same command does
        again depends on what it finds."""
        before = max((m for m in self._left if m < n), default=0)
        behind = min((m for m in self._left if m > n), default=0)
        return n in self._left and not self._left[n] == self._left.get(before) == self._left.get(behind)

    def _told(self, place: Place) -> str:
        n, recover = place
        last = (self._lines() or ["?"])[-1]
        then = "recover" if recover else "the same command again"
        return f"point {n} of {len(self._reached)}, which is: {last}; then {then}"

    def _kill(self, attempt: Attempt, place: Place) -> Ran:
        ran = self._ground.command(*attempt.command, dying=(self._log, place[0]))
        # Statuses are polled: some runs have more of them.
        assert ran.code == KILLED or (ran.code == 0 and len(self._lines()) < place[0]), ran
        return ran

    def _judge(self, attempt: Attempt, place: Place, _: Ran, before: Picture) -> bool:
        if place[1]:
            self._left[place[0]] = self._ground.picture().left_since(before)
            self._recover(attempt)
            # What a recovery puts right may be in the trail alone.
            if attempt.command != RECOVER and self._ground.restored_to(before):
                return True
        self._put_right(attempt)
        return False

    def _recover(self, attempt: Attempt) -> None:
        ground, conflict = self._ground, attempt.conflict
        ran = ground.until_free(*RECOVER)
        assert ran.code == 0, ran
        ground.assert_settings()
        ground.assert_kept(set(conflict.local) - set(ground.rows()))
        if ground.told():
            self._assert_told(attempt)

    def _put_right(self, attempt: Attempt) -> None:
        attempt.ended(self._ground, attempt.conflict)
        self._ground.assert_settings()
        self._assert_told(attempt)

    def _assert_told(self, attempt: Attempt) -> None:
        self._ground.assert_whole()
        self._ground.assert_told_truly(attempt.conflict, of_undo=attempt.command[0] == "undo")


def resolved(ground: Ground, conflict: Conflict) -> None:
    ran = ground.until_free(*RESOLVE)
    assert ran.code == 0, ran
    ground.assert_healed(conflict)


def left_out(ground: Ground, conflict: Conflict) -> None:
    ran = ground.until_free(*SKIP)
    assert ran.code == 0, ran
    ground.assert_left_out(conflict)


def written_too(strategy: tuple[str, ...]) -> Callable[[Ground, Conflict], None]:
    """What a strategy that writes on the source as well comes to."""

    def ended(ground: Ground, conflict: Conflict) -> None:
        ran = ground.until_free(*strategy)
        if ran.code == 4 and f"{strategy[-1]} is not possible here" in ran.out:
            # The row is out of the way already, and in the trail.
            ran = ground.command(*RESOLVE)
        assert ran.code == 0, ran
        ground.assert_kept_on_source(conflict)

    return ended


def undone(ground: Ground, conflict: Conflict) -> None:
    ran = ground.until_free("undo", ground.told_id(), "--yes", "--json")
    assert ran.code == 0 or (ran.code == 4 and "undone already" in ran.err), ran
    ground.assert_running(conflict)
    rows = set(ground.rows())
    assert set(conflict.local) <= rows
    assert rows - set(conflict.local) == set(ground.rows(ground.source))


if ALL:

    @pytest.fixture
    def ground(any_pair: Lab) -> Iterator[Ground]:
        with _ground_that_may_skip(any_pair) as made:
            yield made

else:

    @pytest.fixture
    def ground(pair: Lab) -> Iterator[Ground]:
        with ground_of(pair) as made:
            yield made


@contextmanager
def _ground_that_may_skip(lab: Lab) -> Iterator[Ground]:
    with may_skip(lab.replica), ground_of(lab) as made:
        yield made


def test_a_resolution(any_pair: Lab, tmp_path: Path) -> None:
    one_in = 2 if any_pair.provision.flavour.product == "MySQL" else 8
    with ground_of(any_pair) as ground:
        Points(ground, tmp_path, lambda: Attempt(ground.conflict(), RESOLVE, resolved)).judge(one_in)


def test_a_resolution_of_several_transactions_together(pair: Lab, tmp_path: Path) -> None:
    with ground_of(pair) as ground:
        Points(ground, tmp_path, lambda: Attempt(ground.conflict(Several), RESOLVE, resolved)).judge(3)


def test_a_transaction_that_is_carried_out_in_the_appliers_place(pair: Lab, tmp_path: Path) -> None:
    """Its rows are brought to what it expects in one transaction, and it is carried out in another."""
    with ground_of(pair) as ground:
        for statement in DeletedTwice.TABLES:
            ground.source.execute(statement)
        Points(ground, tmp_path, lambda: Attempt(ground.conflict(DeletedTwice), RESOLVE, resolved)).judge(4)


def after_a_kill(ground: Ground, directory: Path, *, of: Attempt, at: str, time: int = 1) -> Attempt:
    """``recover``, for a command that was killed at that point."""
    ran = ground.command(*of.command, dying=(str(directory / "first"), at, signal.SIGKILL, time))
    assert ran.code == KILLED, ran
    ground.wait_for_sessions_to_end()
    return Attempt(of.conflict, RECOVER, of.ended)


@pytest.mark.parametrize("at", [COMMITTED, SET_GOING])
def test_a_recovery(ground: Ground, tmp_path: Path, at: str) -> None:
    def prepare() -> Attempt:
        return after_a_kill(ground, tmp_path, of=Attempt(ground.conflict(), RESOLVE, resolved), at=at)

    Points(ground, tmp_path, prepare).judge(4)


def test_an_undo(ground: Ground, tmp_path: Path) -> None:
    def prepare() -> Attempt:
        ground.take_back(Conflict(ground.made))
        conflict = ground.conflict()
        resolved(ground, conflict)
        ground.make_room(conflict)
        return Attempt(conflict, ("undo", ground.told_id(), "--yes", "--json"), undone)

    Points(ground, tmp_path, prepare).judge(5)


def undone_on_both(ground: Ground, conflict: Conflict) -> None:
    undone(ground, conflict)
    assert not conflict.copies & {row[2] for row in ground.rows(ground.source)}


def test_an_undo_that_writes_on_the_source(ground: Ground, tmp_path: Path) -> None:
    def prepare() -> Attempt:
        ground.take_back(Twins(ground.made))
        conflict = ground.conflict(Twins)
        ran = ground.until_free(*KEEP_BOTH)
        assert ran.code == 0, ran
        ground.make_room(conflict)
        return Attempt(conflict, ("undo", ground.told_id(), "--yes", "--json"), undone_on_both)

    Points(ground, tmp_path, prepare).judge(9)


@pytest.mark.parametrize(
    ("strategy", "one_in"), [(KEEP_BOTH, 10), (REPLICA_WINS, 20)], ids=["keep-both", "replica-wins"]
)
def test_rows_that_are_written_on_the_source_too(
    ground: Ground, tmp_path: Path, strategy: tuple[str, ...], one_in: int
) -> None:
    ended = written_too(strategy)
    points = Points(ground, tmp_path, lambda: Attempt(ground.conflict(Twins), strategy, ended))
    points.judge(one_in, always=[(SET_GOING_AGAIN, True)])


@pytest.mark.parametrize(
    ("at", "time"), [(COMMITTED, 1), ("sent COMMIT", 2)], ids=["before it writes there", "while it does"]
)
def test_a_recovery_of_rows_that_are_written_on_the_source_too(
    ground: Ground, tmp_path: Path, at: str, time: int
) -> None:
    def prepare() -> Attempt:
        attempt = Attempt(ground.conflict(Twins), KEEP_BOTH, written_too(KEEP_BOTH))
        return after_a_kill(ground, tmp_path, of=attempt, at=at, time=time)

    Points(ground, tmp_path, prepare).judge(15)


def test_a_skip(ground: Ground, tmp_path: Path) -> None:
    Points(ground, tmp_path, lambda: Attempt(ground.conflict(), SKIP, left_out)).judge(5)


@pytest.fixture
def ground_without_gtids(pair: Lab) -> Iterator[Ground]:
    def connect() -> None:
        no_gtid.connect(pair.source, pair.replica)

    def undo() -> None:
        no_gtid.undo(pair.source, pair.replica)

    def anew() -> None:
        undo()
        pair.reset()
        connect()

    connect()
    try:
        with ground_of(pair, anew) as made:
            yield made
    finally:
        undo()


def test_a_skip_without_gtids(ground_without_gtids: Ground, tmp_path: Path) -> None:
    ground = ground_without_gtids
    Points(ground, tmp_path, lambda: Attempt(ground.conflict(), SKIP, left_out)).judge(5)


def test_a_resolution_of_what_overtook_another_transaction(ground_without_gtids: Ground, tmp_path: Path) -> None:
    """Between two starts the channel stands without an error, before the transaction."""
    ground = ground_without_gtids
    points = Points(ground, tmp_path, lambda: Attempt(ground.conflict(Overtaking), RESOLVE, resolved))
    points.judge(0, always=[(SET_GOING, True), (SET_GOING, False)])
