"""One accident after the other, each at another place of the same command, on a ground where the same can be made again and again.

Where an accident left everything as it was (``Ground.unchanged_since``), or ``recover`` brought it back to that, the next one
meets the same conflict: what the next command would find is what it found before. So most places cost a run that is cut
short, and no repair.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from tests.integration.aftermath import Ground, Picture
from tests.integration.running import Ran

Attempt = TypeVar("Attempt")
Place = TypeVar("Place")


class Accidents(Generic[Attempt, Place]):
    """``prepare`` makes what ``meet`` has an accident with, ``judge`` looks at what that left and has it put right, or back to
    how it was before: then it says True; and ``end`` has an attempt put right that nothing became of. In a ``full`` run those that end badly are told together, at the end."""

    def __init__(
        self,
        ground: Ground,
        prepare: Callable[[], Attempt],
        meet: Callable[[Attempt, Place], Ran],
        judge: Callable[[Attempt, Place, Ran, Picture], bool],
        end: Callable[[Attempt], None],
        *,
        full: bool,
    ) -> None:
        self._ground, self._prepare, self._meet, self._judge, self._end = ground, prepare, meet, judge, end
        self._full = full

    def at(self, places: Iterable[Place], told: Callable[[Place], str]) -> None:
        """``told``: a place in words, for people, once there was an accident."""
        bad: list[Exception] = []
        met = judged = 0
        begun = time.monotonic()
        left: Attempt | None = None
        for place in places:
            met += 1
            try:
                if left is None:
                    left, before = self._prepare(), self._ground.picture()
                attempt, left = left, None
                ran = self._meet(attempt, place)
                if self._ground.unchanged_since(before):
                    assert ran.code != 0, f"it did nothing, and says that it did: {ran}"
                    left = attempt
                else:
                    judged += 1
                    if self._judge(attempt, place, ran, before):
                        left, before = attempt, self._ground.picture()
            except Exception as error:
                error.add_note(told(place))
                if not self._full:
                    raise
                bad.append(error)
                _say(f"BAD at {told(place)}: {error!r:.2000}")
                left = None
                self._ground.start_over()
            if self._full and met % 100 == 0:
                _say(f"{met} accidents, {judged} left something, {len(bad)} ended badly")
        if left is not None:
            self._end(left)
        if self._full:
            _say(f"{met} accidents, {judged} left something, {len(bad)} ended badly, {time.monotonic() - begun:.0f} s")
        if bad:
            raise ExceptionGroup(f"{len(bad)} of {met} accidents ended badly", bad)


def _say(text: str) -> None:
    print(f"  {text}", file=sys.__stderr__, flush=True)
