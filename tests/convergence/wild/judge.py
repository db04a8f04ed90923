"""What has to be true of rows when the replica has applied the source's first transactions, and whatever the definitions did.

A row is equal on both servers, in the columns that both have, unless it had diverged and no row event of the source was about
it since. A diverged row that is gone is in the trail, unless the source itself changed, dropped or emptied what it was in.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from replfix.core.replication.gtid import GtidSet
from tests.convergence.judge import Recorded
from tests.convergence.wild.live import Key, State, alike

Place = tuple[str, Key]  # a table, and what names the row in it

_DEFINES = re.compile(r"(ALTER|CREATE|DROP|RENAME|TRUNCATE) ")
_RENAME = re.compile(r"RENAME TABLE (.*)\Z")
_TRUNCATE = re.compile(r"TRUNCATE TABLE \w+\.(\S+)\Z")
_LIKE = re.compile(r"CREATE TABLE \w+\.(\S+) LIKE \w+\.(\S+)\Z")
_SAVED = re.compile(r".*_saved\Z")
"""Where a remedy keeps rows."""
_COPY = re.compile(r"(?:CREATE TABLE|INSERT INTO) \w+\.(\S+) .*SELECT ")
_ONE_ROW = re.compile(r"(?:UPDATE|DELETE FROM) `?\w+`?\.(\S+) .*WHERE `id` = (\d+)\Z")


def defines(statement: str) -> bool:
    return _DEFINES.match(statement) is not None


@dataclass(frozen=True, slots=True)
class Step:
    """What one statement of the source did."""

    renamed: tuple[tuple[str, str], ...] = ()
    gone: frozenset[str] = frozenset()  # tables dropped or emptied
    emptied: frozenset[str] = frozenset()  # of these, tables that are there, defined as before
    like: tuple[tuple[str, str], ...] = ()  # a table that was defined like another one
    copied: frozenset[str] = frozenset()  # tables that a statement filled from others, on each server from its own
    changed: frozenset[Place] = frozenset()  # rows that were there before
    new: frozenset[Place] = frozenset()
    aimed: frozenset[Place] = frozenset()  # the row that a statement names, whether the source has it or not


@dataclass(frozen=True, slots=True)
class Moment:
    name: str
    steps: tuple[Step, ...]
    state: State  # behind it
    as_rows: bool  # that is how it was logged, for certain
    gtids: GtidSet


def aimed_at(statement: str) -> frozenset[Place]:
    """The row that a statement names by its key."""
    found = _ONE_ROW.match(statement)
    return frozenset({(found[1].strip("`"), (found[2],))} if found else ())


def step_of(statement: str, before: State, after: State, *, as_rows: bool) -> Step:
    if found := _RENAME.match(statement):
        pairs = (pair.replace("`", "").split(" TO ") for pair in found[1].split(", "))
        return Step(renamed=tuple((old.partition(".")[2], new.partition(".")[2]) for old, new in pairs))
    emptied = {found[1].strip("`")} if (found := _TRUNCATE.match(statement)) else set[str]()
    gone = frozenset(emptied | (before.keys() - after.keys()))
    if found := _LIKE.match(statement):
        return Step(like=((found[2].strip("`"), found[1].strip("`")),))
    if defines(statement) and "SELECT" not in statement:
        return Step(gone=gone, emptied=frozenset(emptied))
    places = [(table, key) for table in after for key in {*before.get(table, {}), *after[table]}]
    touched = [(table, key) for table, key in places if before.get(table, {}).get(key) != after[table].get(key)]
    copied = {found[1].strip("`")} if (found := _COPY.match(statement)) and not as_rows else set[str]()
    return Step(
        gone=gone,
        copied=frozenset(copied),
        changed=frozenset(place for place in touched if place[1] in before.get(place[0], {})),
        new=frozenset(place for place in touched if place[1] not in before.get(place[0], {})),
        aimed=frozenset() if as_rows else aimed_at(statement),
    )


@dataclass(slots=True)
class Judge:
    """``start`` is the source when both had the same, ``diverged`` the replica behind its own writes; ``drifted`` the tables
    whose definitions differ, by their names then."""

    start: State
    diverged: State
    drifted: Collection[str]
    after: State
    trail: Sequence[Recorded]
    named: Collection[Place] = ()  # rows that a remedy said it would delete
    apart: int = 0
    displaced: int = 0
    _names: dict[str, str] = field(default_factory=dict)  # of now, by the name at the start
    _called: dict[str, set[str]] = field(default_factory=dict)  # what a table of now was called before
    _open: set[Place] = field(default_factory=set)
    _events: set[Place] = field(default_factory=set)  # by the name at the start: a row event changed or deleted it
    _loose: set[str] = field(default_factory=set)  # tables of now of whose rows nothing is promised
    _otherwise: set[str] = field(default_factory=set)  # tables of now that are defined otherwise on the replica

    def judge(self, moments: Sequence[Moment]) -> Iterator[str]:
        tables = {*self.start, *self.diverged}
        self._names = {table: table for table in tables}
        self._loose, self._otherwise = set(self.drifted), set(self.drifted)
        for table in tables:
            ours, theirs = self.diverged.get(table, {}), self.start.get(table, {})
            self._open |= {(table, key) for key in {*ours, *theirs} if not alike(ours.get(key), theirs.get(key))}
        # Rows that only their values name: which of them a row event was about, nobody can tell.
        self._loose |= {table for table, key in self._open if len(key) > 1}
        first = frozenset(self._open)
        state = self.start
        for moment in moments:
            for step in moment.steps:
                self._follow(step, as_rows=moment.as_rows)
            state = moment.state
        yield from self._equal(state)
        yield from self._lost(first)

    def _follow(self, step: Step, *, as_rows: bool) -> None:
        for old, new in step.renamed:
            self._open = {(new if table == old else table, key) for table, key in self._open}
            self._loose = {new if table == old else table for table in self._loose}
            self._otherwise = {new if table == old else table for table in self._otherwise}
            self._names = {then: new if now == old else now for then, now in self._names.items()}
            self._called[new] = self._called.pop(old, set()) | {old}
        self._open = {place for place in self._open if place[0] not in step.gone}
        self._names = {then: now for then, now in self._names.items() if now not in step.gone}
        self._otherwise -= step.gone - step.emptied
        self._otherwise |= {new for old, new in step.like if old in self._otherwise}
        self._loose = (self._loose - step.gone) | step.copied | {new for old, new in step.like if old in self._loose}
        self._loose |= self._otherwise
        if as_rows:
            self._open -= step.changed | step.new
        then = {now: then for then, now in self._names.items()}
        self._events |= {(then[table], key) for table, key in step.changed | step.aimed if table in then}

    def _equal(self, state: State) -> Iterator[str]:
        for table in sorted({*state, *self.after}):
            if table in self._loose or (table not in state and _SAVED.match(table)):
                self.apart += 1
                continue
            if table not in state or table not in self.after:
                yield f"{table} is there on the {'replica' if table in self.after else 'source'} only"
                continue
            theirs, ours = state[table], self.after[table]
            if any(len(key) > 1 for key in (*theirs, *ours)):  # no primary key: its rows are their values
                same = sorted(map(str, theirs.values())) == sorted(map(str, ours.values()))
                if not same:
                    yield f"{table}, which has no key: source {list(theirs.values())}, replica {list(ours.values())}"
                continue
            for key in {*theirs, *ours}:
                if alike(theirs.get(key), ours.get(key)):
                    continue
                if (table, key) in self._open or self._is_named(table, key):
                    self.apart += 1
                    continue
                yield f"{table} {key}: source {theirs.get(key)}, replica {ours.get(key)}"

    def _lost(self, first: Collection[Place]) -> Iterator[str]:
        for table, key in first:
            row = self.diverged.get(table, {}).get(key)
            now = self._names.get(table)
            if row is None or now is None or now in self._loose or len(key) > 1 or (table, key) in self._events:
                continue
            if alike(row, self.start.get(table, {}).get(key)) or alike(row, self.after.get(now, {}).get(key)):
                continue
            if self._is_named(now, key) or any(self._is(recorded, key, row) for recorded in self.trail):
                self.displaced += 1
            elif self.after.get(now, {}).get(key) is None or (now, key) not in self._open:
                yield f"{table} {key}: the replica's row {row} is gone, and is not in the trail"

    def _is_named(self, table: str, key: Key) -> bool:
        """By the name that the table has now, or had when the remedy was followed."""
        return any((name, key) in self.named for name in (table, *self._called.get(table, ())))

    @staticmethod
    def _is(recorded: Recorded, key: Key, row: object) -> bool:
        return str(recorded.image.get("id")) == key[0] and row is not None
