"""What the source did, as looks at its rows after every statement tell: the states that it had, and who touched what first."""

from __future__ import annotations

from dataclasses import dataclass, field

from replfix.core.gtid import GtidSet
from tests.convergence.rows import Key, State, Touch


@dataclass(slots=True)
class Moment:
    """One transaction of the source: its server's GTIDs and rows after it, and what its statements changed."""

    executed: GtidSet
    state: State
    touches: tuple[Touch, ...]


@dataclass(slots=True)
class History:
    start: State
    moments: list[Moment] = field(default_factory=list)

    def up_to(self, executed: GtidSet) -> Told:
        """The history as far as a server has applied it."""
        state, all_touches = self.start, list[Touch]()
        for moment in self.moments:
            if not moment.executed <= executed:
                break
            state = moment.state
            all_touches += moment.touches
        return Told(self.start, state, tuple(all_touches))


@dataclass(slots=True)
class Told:
    """``inserted_first``: whether the first thing that the source did about a row was to put it in place."""

    start: State
    state: State
    touches: tuple[Touch, ...]
    touched: set[Key] = field(init=False)
    inserted_first: dict[Key, bool] = field(init=False)
    changed: set[Key] = field(init=False)  # rows that were there when the source changed or deleted them

    def __post_init__(self) -> None:
        self.inserted_first = {}
        for touch in self.touches:
            self.inserted_first.setdefault(touch.key, touch.before is None)
        self.touched = set(self.inserted_first)
        self.changed = {touch.key for touch in self.touches if touch.before is not None}

    def taken(self, key: Key) -> int:
        """Of rows that only their values name: how many the source took away."""
        return sum(max(_count(t.before) - _count(t.after), 0) for t in self.touches if t.key == key)


def _count(held: object) -> int:
    return getattr(held, "count", 0)
