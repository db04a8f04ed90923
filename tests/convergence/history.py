"""What the source did, as looks at its rows after every statement tell: the states that it had, and who touched what first."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace

from replfix.core.replication.gtid import GtidSet
from tests.convergence.rows import Held, Key, State, Touch


@dataclass(frozen=True, slots=True)
class Moment:
    """One transaction of the source: what it is called there, its GTID, and what its statements changed. ``number`` counts
    from 1; without GTIDs the transaction writes it into a table of its own."""

    number: int
    name: str
    gtids: GtidSet
    touches: tuple[Touch, ...]
    rewrites: frozenset[str] = (
        frozenset()
    )  # tables in which it may have written rows just as they were: logged, and no touch


@dataclass(slots=True)
class History:
    start: State
    state: State = field(init=False)
    executed: GtidSet = field(default_factory=GtidSet)  # by the source, with all of them
    moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = self.start

    def add(
        self, name: str, gtids: GtidSet, state: State, found: Collection[Touch], rewrites: Collection[str] = ()
    ) -> None:
        self.moments.append(Moment(len(self.moments) + 1, name, gtids, tuple(found), frozenset(rewrites)))
        self.state = state

    def as_applied(
        self, applied: Callable[[Moment], bool], left_out: Collection[str], nameless: Collection[str]
    ) -> Told:
        """The history of a server that has ``applied`` these moments and never got those that are ``left_out``. Tables that
        are ``nameless`` have rows that only their values name."""
        state, done, missed = dict(self.start), list[tuple[Touch, ...]](), list[Touch]()
        rewrote, rewrote_since = set[str](), False
        for moment in self.moments:
            if moment.name in left_out:
                missed += moment.touches
            elif applied(moment):
                done.append(moment.touches)
                rewrote |= moment.rewrites
                rewrote_since = rewrote_since or (bool(moment.rewrites) and bool(missed))
                for touch in moment.touches:
                    _carry_out(touch, state, touch.key[0] in nameless)
        return Told(self.start, state, tuple(done), tuple(missed), rewrote, rewrote_since)


def _carry_out(touch: Touch, state: dict[Key, Held], nameless: bool) -> None:
    after = touch.after
    if nameless:
        row = touch.after or touch.before
        assert row is not None
        count = _count(state.get(touch.key)) + _count(touch.after) - _count(touch.before)
        after = replace(row, count=count) if count > 0 else None
    if after is None:
        state.pop(touch.key, None)
    else:
        state[touch.key] = after


@dataclass(slots=True)
class Told:
    """``inserted_first``: whether the first thing that the source did about a row was to put it in place. ``missed`` is of
    transactions that were left out; nothing else here knows of them."""

    start: State
    state: State
    groups: tuple[tuple[Touch, ...], ...]  # by transaction
    missed: tuple[Touch, ...] = ()
    rewrote: Collection[str] = ()  # tables in which rows may have been written as the source had them already
    rewrote_since: bool = False  # behind those of ``missed``
    touches: tuple[Touch, ...] = field(init=False)
    touched: set[Key] = field(init=False)
    not_got: set[Key] = field(init=False)  # rows of ``missed``
    inserted_first: dict[Key, bool] = field(init=False)
    changed: set[Key] = field(init=False)  # rows that were there when the source changed or deleted them

    def __post_init__(self) -> None:
        self.touches = tuple(touch for group in self.groups for touch in group)
        self.inserted_first = {}
        for touch in self.touches:
            self.inserted_first.setdefault(touch.key, touch.before is None)
        self.touched = set(self.inserted_first)
        self.not_got = {touch.key for touch in self.missed}
        self.changed = {touch.key for touch in self.touches if touch.before is not None}

    def taken(self, key: Key) -> int:
        """Of rows that only their values name: how many the source took away."""
        return sum(max(_count(t.before) - _count(t.after), 0) for t in self.touches if t.key == key)

    def ever(self, key: Key) -> Iterator[Held | None]:
        """What the source has had under that key."""
        yield self.start.get(key)
        for touch in (*self.touches, *self.missed):
            if touch.key == key:
                yield from (touch.before, touch.after)

    def may_differ(self, key: Key) -> tuple[set[int], set[Key]]:
        """Where the source does not log whole rows: the columns of a row that no event need hold, and the rows that it may
        have been before. Of a row that was put in place as a whole there are none."""
        width = len(next(held for held in self.ever(key) if held is not None).values)
        columns, earlier = set(range(width)), {key}
        for touch in (touch for touch in self.touches if touch.key == key and touch.after is not None):
            assert touch.after is not None
            moved = self._moved_to(touch)
            if touch.before is None:
                earlier = moved
                columns = set(range(width)) if moved else set()
            elif moved:  # another row may have got its place: k = k + 1
                earlier |= moved
                columns = set(range(width))
            else:
                values = zip(touch.before.values, touch.after.values, strict=True)
                columns -= {n for n, (then, now) in enumerate(values) if then != now}
        while further := {row for each in earlier for row in self._earlier(each)} - earlier:
            earlier |= further
        return columns, earlier

    def _earlier(self, key: Key) -> Iterator[Key]:
        for touch in self.touches:
            if touch.key == key and touch.before is None:
                yield from self._moved_to(touch)

    def _moved_to(self, arrival: Touch) -> set[Key]:
        """The rows that went in the same transaction, and those that changed beside them: updates of keys look like that."""
        groups = (group for group in self.groups if arrival in group)
        found = [t for group in groups for t in group if t.key[0] == arrival.key[0] and t.before is not None]
        return {touch.key for touch in found} if any(touch.after is None for touch in found) else set()


def _count(held: Held | None) -> int:
    return held.count if held is not None else 0
