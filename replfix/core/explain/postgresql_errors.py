"""PostgreSQL's form of the same error: SQLSTATE 23505, the constraint in the message, columns and values in DETAIL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from replfix.core.explain.message import unwrapped

WORDS = "duplicate key value violates unique constraint "
_QUOTE = re.compile(r'\\*"|\\+u0022|&quot;|“')
_DETAIL = re.compile(r"Key \(")
NAME_SPAN = 300
DETAIL_SPAN = 4000
"""Characters after the message in which its DETAIL has to be: log prefixes, wrappers and line ends in between."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One such message in a text."""

    start: int
    end: int
    constraint: str
    columns: tuple[str, ...]
    value: str | None  # between the parentheses: several values are joined with ', '


def violations(text: str) -> Iterator[Violation]:
    """Yield every such message in the text, in order."""
    at = 0
    while (start := text.find(WORDS, at)) >= 0:
        named = start + len(WORDS)
        at = named
        opening = _QUOTE.match(text, named)
        if opening is None:
            continue
        quote = "”" if opening[0] == "“" else opening[0]
        ends = text.find(quote, opening.end(), opening.end() + NAME_SPAN)
        if ends < 0:
            continue
        at = ends + len(quote)
        following = text.find(WORDS, at, at + DETAIL_SPAN)
        limit = min(len(text), at + DETAIL_SPAN) if following < 0 else following
        columns, value, end = _detail(text, at, limit, opening[0])
        yield Violation(start, end, unwrapped(text[opening.end() : ends], opening[0]), columns, value)
        at = max(at, end)


def _detail(text: str, at: int, limit: int, quote: str) -> tuple[tuple[str, ...], str | None, int]:
    detail = _DETAIL.search(text, at, limit)
    if detail is None:
        return (), None, at
    middle = text.find(")=(", detail.end(), limit)
    ends = text.find(") already exists", middle, limit) if middle >= 0 else -1
    if ends < 0:
        return (), None, at
    # A value can contain the same words: the last of them on its line counts.
    line = text.find("\n", ends, limit)
    ends = text.rfind(") already exists", ends, limit if line < 0 else line)
    columns = tuple(c.strip().strip('"') for c in _listed(unwrapped(text[detail.end() : middle], quote)))
    return columns, unwrapped(text[middle + 3 : ends], quote), ends


def _listed(text: str) -> list[str]:
    """Split at commas outside parentheses: an expression can contain some."""
    parts, depth, begins = [], 0, 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append(text[begins:at])
            begins = at + 1
    return [*parts, text[begins:]]
