"""The words by which a log's reader finds errors, and what they name."""

from __future__ import annotations

import re
from typing import NamedTuple

from replfix.core.explain.duplicate import Kind, Product
from replfix.core.explain.messages import NEEDLES as WORDS
from replfix.core.explain.messages import (
    hits,
    postgresql_build,
    postgresql_conflict,
    postgresql_exclusion,
    postgresql_unique,
)

_POSTGRESQL = tuple(
    words
    for family in (postgresql_unique, postgresql_build, postgresql_exclusion, postgresql_conflict)
    for words in family.NEEDLES
)
_STEMS = ("uplicate entry", "nique constraint")
"""Words that several messages have, and nothing else."""


def _needles(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return what has to be searched for to find all of the words: fewer, for some contain others."""
    kept = [*(stem for stem in _STEMS if any(stem in each for each in words)), *words]
    return tuple(one for one in dict.fromkeys(kept) if not any(other in one for other in kept if other != one))


NEEDLES = _needles(WORDS)
"""What an error cannot be without. Each is searched for by itself: ``bytes.find`` is many times faster than a pattern."""


class Named(NamedTuple):
    """An error in a text: where its message is, and what it names. ``whole``: the text does not end inside the message."""

    start: int
    end: int
    dialect: Product
    key: str
    value: str | None
    whole: bool = True


def of_postgresql(text: str) -> int:
    """Return where a message of PostgreSQL begins; -1 for none."""
    return min((at for words in _POSTGRESQL if (at := text.find(words)) >= 0), default=-1)


_VIOLATION = re.compile(
    r'(?:\A|[^"\\]*?)ERROR:  duplicate key value violates unique constraint "(?P<key>[^"\\\n]{1,200})"(?=\n|\Z)'
)
_DETAIL = re.compile(r"DETAIL:  Key \([^\n]{1,400}?\)=\((?P<value>[^\n]{0,4000})\) already exists")


def violation(text: str) -> Named | None:
    """Return the one error of a session's lines as PostgreSQL's log usually has them; None: they need a closer look."""
    found = _VIOLATION.match(text)
    if found is None or text.count("nique constraint") != 1:
        return None
    detail = _DETAIL.search(text, found.end())
    value = detail["value"] if detail else None
    if detail is None and "Key (" in text:
        return None
    return Named(found.start("key"), found.end("key"), Product.POSTGRESQL, found["key"], value)


def named(text: str) -> list[Named]:
    """Return the errors in a text, in order; not an applier's other ones."""
    return [
        Named(hit.start, hit.end, hit.dialect, hit.key, hit.value, not hit.truncated)
        for hit in hits(text)
        if hit.kind is not Kind.REPLICA
    ]
