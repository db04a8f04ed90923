"""Counts many errors of a log: by key, with the shape of their values, in memory that does not grow with the log."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from replfix.core.explain.duplicate import Duplicate, Product

MOST_GROUPS = 2_000
MOST_DISTINCT = 5_000
"""Different values that are kept apart in one group; more are only counted."""
EXAMPLES = 3
RECENT = 16
ASCENDING = 0.8
FEW = 3


class Shape(enum.StrEnum):
    """How the values of a key's errors are distributed."""

    SINGLE = "single"
    REPEATED = "repeated"  # one value again and again
    INCREASING = "increasing"  # whole numbers, one higher than the other
    FEW_REPEATED = "few_repeated"  # a few values, each many times
    MANY_DISTINCT = "many_distinct"


MEANINGS = {
    Shape.SINGLE: "once",
    Shape.REPEATED: "one value again and again: something retries the same insert",
    Shape.INCREASING: "ever higher numbers: a counter runs through values that are taken",
    Shape.FEW_REPEATED: "a few values many times each: several retries, or a job that starts over",
    Shape.MANY_DISTINCT: "many different values: two writers, an import that ran before, or a wrong unique key",
}


@dataclass(frozen=True, slots=True)
class Group:
    """The errors on one key. Times are as the log writes them; None where its lines carry none."""

    dialect: Product
    key: str
    schema: str | None
    table: str | None
    count: int
    distinct: int
    distinct_at_least: bool  # there are more values than were kept apart
    first_seen: str | None
    last_seen: str | None
    examples: tuple[str, ...]
    shape: Shape
    latest: Duplicate


@dataclass(slots=True)
class _Counted:
    latest: Duplicate
    count: int = 0
    values: set[int] = field(default_factory=set)
    overflow: bool = False
    first_seen: str | None = None
    last_seen: str | None = None
    examples: list[str] = field(default_factory=list)
    number: int | None = None
    all_numbers: bool = True
    up: int = 0
    down: int = 0

    def add(self, duplicate: Duplicate, at: str | None) -> None:
        self.count += 1
        if duplicate.statement is not None or self.latest.statement is None:
            self.latest = duplicate
        self.first_seen = self.first_seen or at
        self.last_seen = at or self.last_seen
        value = duplicate.value or ""
        if hash(value) not in self.values:
            if len(self.values) < MOST_DISTINCT:
                self.values.add(hash(value))
            else:
                self.overflow = True
            if len(self.examples) < EXAMPLES:
                self.examples.append(value)
        self._follow(value)

    def _follow(self, value: str) -> None:
        if not (value.isascii() and value.isdigit() and len(value) <= 20):
            self.all_numbers = False
            return
        number = int(value)
        if self.number is not None:
            self.up += number > self.number
            self.down += number < self.number
        self.number = number

    @property
    def shape(self) -> Shape:
        distinct = len(self.values)
        if self.count == 1:
            return Shape.SINGLE
        if distinct == 1:
            return Shape.REPEATED
        if self.all_numbers and distinct > FEW and self.up >= ASCENDING * (self.up + self.down):
            return Shape.INCREASING
        return Shape.FEW_REPEATED if distinct * FEW <= self.count and not self.overflow else Shape.MANY_DISTINCT


class Surge:
    """Counts errors one after the other. The same error twice under one time with fractions of a second counts once."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Product, str, str | None], _Counted] = {}
        self._recent: dict[tuple[Product, str, str | None, str], None] = {}
        self.count = 0
        self.not_grouped = 0

    def add(self, duplicate: Duplicate, at: str | None) -> None:
        """Count one error; ``at`` is the text of its time."""
        if at is not None and ("." in at or "," in at):
            told = duplicate.dialect, duplicate.key, duplicate.value, at
            if told in self._recent:
                return
            self._recent[told] = None
            if len(self._recent) > RECENT:
                del self._recent[next(iter(self._recent))]
        self.count += 1
        # A key named with its table is one key; one without it is known by the table that the statement names.
        table = None if "." in duplicate.key else duplicate.table
        name = duplicate.dialect, duplicate.key, table
        group = self._groups.get(name)
        if group is None:
            if len(self._groups) >= MOST_GROUPS:
                self.not_grouped += 1
                return
            group = self._groups[name] = _Counted(duplicate)
        group.add(duplicate, at)

    def groups(self) -> tuple[Group, ...]:
        """Return the groups by key, the largest first."""
        return tuple(sorted(self._made(), key=lambda group: -group.count))

    def _made(self) -> Iterator[Group]:
        for (dialect, key, _), counted in self._groups.items():
            latest = counted.latest
            yield Group(
                dialect=dialect,
                key=key,
                schema=latest.schema,
                table=latest.table,
                count=counted.count,
                distinct=len(counted.values),
                distinct_at_least=counted.overflow,
                first_seen=counted.first_seen,
                last_seen=counted.last_seen,
                examples=tuple(counted.examples),
                shape=counted.shape,
                latest=latest,
            )
