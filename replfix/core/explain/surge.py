"""Counts many errors of a log: by key, with the shape of their values, in memory that does not grow with the log."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from replfix.core.explain.duplicate import Duplicate, Product
from replfix.core.explain.log.mention import LoggedError
from replfix.core.explain.log.rate import Rate, RateCount
from replfix.core.explain.separate_tables import Seen, Series, separated

MOST_GROUPS = 2_000
MOST_DISTINCT = 5_000
"""Different values that are kept apart in one group; more are only counted."""
MOST_READ = 20
"""Groups whose latest error is read as a whole, with its statement."""
EXAMPLES = 3
LONGEST_EXAMPLE = 400
ASCENDING = 0.8
FEW = 3


class Shape(enum.StrEnum):
    """How the values of a key's errors are distributed."""

    SINGLE = "single"
    REPEATED = "repeated"  # one value again and again
    INCREASING = "increasing"  # whole numbers, one higher than the other
    FEW_REPEATED = "few_repeated"  # a few values, each many times
    MANY_DISTINCT = "many_distinct"
    AT_LIMIT = "at_limit"  # the highest value of an integer type, again and again
    EMPTY = "empty"  # 0 or '' again and again: what a column gets that nothing sets
    UNKNOWN = "unknown"  # the log does not have the values


MEANINGS = {
    Shape.SINGLE: "once",
    Shape.REPEATED: "one value again and again: something retries the same insert",
    Shape.INCREASING: "ever higher numbers: a counter runs through values that are taken",
    Shape.FEW_REPEATED: "a few values many times each: several retries, or a job that starts over",
    Shape.MANY_DISTINCT: "many different values: two writers, an import that ran before, or a wrong unique key",
    Shape.AT_LIMIT: "the highest value of {type} again and again: the counter is at the end of its type and every insert "
    "fails, or something retries one insert that sets this value",
    Shape.EMPTY: "the empty value again and again: the INSERT does not set the column, and it has no AUTO_INCREMENT or "
    "default that differs from row to row",
    Shape.UNKNOWN: "the log does not have the values",
}

LIMITS = {
    "127": "TINYINT",
    "255": "TINYINT UNSIGNED",
    "32767": "SMALLINT",
    "65535": "SMALLINT UNSIGNED",
    "8388607": "MEDIUMINT",
    "16777215": "MEDIUMINT UNSIGNED",
    "2147483647": "INT",
    "4294967295": "INT UNSIGNED",
    "9223372036854775807": "BIGINT",
    "18446744073709551615": "BIGINT UNSIGNED",
}
"""The highest value of each integer type of MySQL; PostgreSQL has the signed ones."""


@dataclass(frozen=True, slots=True)
class Group:
    """The errors on one key. Times are as the log writes them; None where its lines carry none.

    ``unknown``: errors whose value the log does not have. ``separated``: the log does not name the table, and these are the
    errors whose values belong together; that is a guess.
    """

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
    unknown: int = 0
    rate: Rate | None = None
    separated: bool = False

    @property
    def meaning(self) -> str:
        """What it looks like, as half a sentence."""
        return MEANINGS[self.shape].format(type=LIMITS.get(self.examples[0] if self.examples else "", "its type"))


@dataclass(slots=True)
class _Counted:
    first: LoggedError
    latest: LoggedError
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
    unknown: int = 0
    rate: RateCount = field(default_factory=RateCount)
    seen: dict[str, Seen] | None = None  # kept where the errors of several tables can be in one group

    def add(self, error: LoggedError) -> None:
        self.count += 1
        self.latest = error
        at = error.at
        self.first_seen = self.first_seen or at
        self.last_seen = at or self.last_seen
        self.rate.add(error.seconds)
        value = error.value
        if value is None:
            self.unknown += 1
            return
        if hash(value) not in self.values:
            if len(self.values) < MOST_DISTINCT:
                self.values.add(hash(value))
            else:
                self.overflow = True
            if len(self.examples) < EXAMPLES:
                self.examples.append(value[:LONGEST_EXAMPLE])
        if self.seen is not None:
            self._see(value, at)
        self._follow(value)

    def _see(self, value: str, at: str | None) -> None:
        assert self.seen is not None
        known = self.seen.get(value)
        if known is not None:
            known.count += 1
            known.last = at or known.last
        elif len(self.seen) < MOST_DISTINCT:
            self.seen[value[:LONGEST_EXAMPLE]] = Seen(1, at, at)

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
        distinct, known = len(self.values), self.count - self.unknown
        if self.count == 1:
            return Shape.SINGLE
        if not known:
            return Shape.UNKNOWN
        if distinct == 1:
            return _shape_of(self.latest.key, self.examples[0])
        if self.all_numbers and distinct > FEW and self.up >= ASCENDING * (self.up + self.down):
            return Shape.INCREASING
        return Shape.FEW_REPEATED if distinct * FEW <= known and not self.overflow else Shape.MANY_DISTINCT


def _shape_of(key: str, value: str) -> Shape:
    """Return the shape of one value that comes again and again."""
    primary = key.rpartition(".")[2].upper() == "PRIMARY" or key.endswith("_pkey")
    if value == "" or (value == "0" and primary):
        return Shape.EMPTY
    # A small number that is the end of a type is so by chance, but for an id.
    return Shape.AT_LIMIT if value in LIMITS and (primary or len(value) >= 10) else Shape.REPEATED


class Surge:
    """Counts errors one after the other, each of them once: ``log.same_error`` decides which lines are one."""

    def __init__(self) -> None:
        self._groups: dict[tuple[Product, str, str | None], _Counted] = {}
        self._rate = RateCount()
        self.count = 0
        self.not_grouped = 0

    def add(self, error: LoggedError) -> None:
        """Count one error."""
        self.count += 1
        self._rate.add(error.seconds)
        # A key named with its table is one key; one without it is known by the table that the statement names.
        table = None if "." in error.key else error.table
        name = error.dialect, error.key, table
        group = self._groups.get(name)
        if group is None:
            if len(self._groups) >= MOST_GROUPS:
                self.not_grouped += 1
                return
            group = self._groups[name] = _Counted(error, error)
            if table is None and error.key.upper() == "PRIMARY":
                group.seen = {}
        group.add(error)

    def counts(self) -> dict[str, int]:
        """Return the errors by the name of the key."""
        found: dict[str, int] = {}
        for (_, key, table), counted in self._groups.items():
            name = f"{key} of {table}" if table else key
            found[name] = found.get(name, 0) + counted.count
        return found

    def rate(self, log_ends: str | None) -> Rate | None:
        """Return all errors over time; None when no line has one. ``log_ends``: the time of the log's last line."""
        return self._rate.rate(log_ends)

    def groups(self, log_ends: str | None = None) -> tuple[Group, ...]:
        """Return the groups by key, the largest first."""
        return tuple(sorted(self._made(log_ends), key=lambda group: -group.count))

    def _made(self, log_ends: str | None) -> Iterator[Group]:
        largest = sorted(self._groups.items(), key=lambda group: -group[1].count)
        for number, ((dialect, key, _), counted) in enumerate(largest):
            latest = counted.latest.duplicate() if number < MOST_READ else counted.latest.named()
            if latest.statement is None and number < MOST_READ:
                first = counted.first.duplicate()
                latest = latest if first.statement is None else first
            whole = Group(
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
                unknown=counted.unknown,
                rate=counted.rate.rate(log_ends),
            )
            several = () if counted.seen is None or counted.overflow else separated(counted.seen)
            if not several:
                yield whole
            for series in several:
                yield _part(whole, series)


def _part(whole: Group, series: Series) -> Group:
    if series.repeated:
        shape = _shape_of(whole.key, next(iter(series.values))) if len(series.values) == 1 else Shape.FEW_REPEATED
    else:
        shape = Shape.INCREASING if series.ascending else Shape.MANY_DISTINCT
    return replace(
        whole,
        count=sum(seen.count for seen in series.values.values()),
        distinct=len(series.values),
        first_seen=next((seen.first for seen in series.values.values() if seen.first), None),
        last_seen=next((seen.last for seen in reversed(series.values.values()) if seen.last), None),
        examples=tuple(islice(series.values, EXAMPLES)),
        shape=shape,
        unknown=0,
        rate=None,
        separated=True,
    )
