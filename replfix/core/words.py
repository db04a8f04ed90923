"""Numbers in sentences, how far long work has come, sentences that are said at several places, and names that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CANCELLED = "Cancelled. Nothing was changed."


def counted(number: int, noun: str, plural: str = "") -> str:
    """``1 row``, ``2 rows``; a noun whose plural is not made with an s gives it."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def help_on(topic: str) -> str:
    """Return the command that shows a page of the documentation: an installation has no docs/."""
    return f"'replfix help {topic}'"


SHOWN = 5


def shortened(sentences: tuple[str, ...], noun: str) -> tuple[str, ...]:
    """Return the first few, each once, and how many more there are."""
    each = tuple(dict.fromkeys(sentences))
    more = (f"… and {counted(len(each) - SHOWN, f'more {noun}')}.",) if len(each) > SHOWN else ()
    return each[:SHOWN] + more


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the name that somebody meant who wrote this one, case aside; None where none is near enough.

    One that begins with it, or at most a third of the letters away: left out, too many, other ones, or two exchanged.
    """
    written = name.lower()
    names = list(known)
    if written and len(longer := [each for each in names if each.lower().startswith(written)]) == 1:
        return longer[0]
    by_distance = sorted((_distance(written, each.lower()), each) for each in names)
    return by_distance[0][1] if by_distance and by_distance[0][0] <= max(1, len(written) // 3) else None


def _distance(a: str, b: str) -> int:
    """Return the optimal string alignment distance (Damerau and Levenshtein, no part edited twice)."""
    before: list[int] = []
    last = list(range(len(b) + 1))
    for row, mine in enumerate(a, 1):
        current = [row]
        for at, theirs in enumerate(b, 1):
            cost = min(last[at] + 1, current[at - 1] + 1, last[at - 1] + (mine != theirs))
            if row > 1 and at > 1 and mine == b[at - 2] and a[row - 2] == theirs:
                cost = min(cost, before[at - 2] + 1)
            current.append(cost)
        before, last = last, current
    return last[-1]


def suggestion(name: str, known: Iterable[str], listed_as: str = "Configured") -> str:
    """Return a hint that lists the names there are, the likely one first; '' when there are none."""
    names = list(known)
    near = nearest(name, names)
    meant = f"Did you mean {near!r}? " if near else ""
    return f"{meant}{listed_as}: {', '.join(names)}." if names else ""


@dataclass(frozen=True, slots=True)
class Advance:
    """A step that takes long, with what is done of it. A face adds the rate and the time left."""

    text: str  # in words for people, as of a step without a number
    done: int
    total: int | None  # None: not known
    unit: str  # in the plural: rows, transactions

    def __str__(self) -> str:
        of = "" if self.total is None else f" of {self.total:,}"
        return f"{self.text}: {self.done:,}{of} {self.unit}"
