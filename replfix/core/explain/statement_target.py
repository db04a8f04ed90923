"""What a statement that a client quotes does, and to which table: as far as its beginning shows it. Never run."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class Verb(enum.Enum):
    """What is done."""

    INSERT = "insert"
    UPDATE = "update"
    ALTER = "alter"
    CREATE_INDEX = "create index"
    CREATE = "create"
    LOAD = "load"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Target:
    """``table`` None: the statement is cut off before it."""

    verb: Verb
    schema: str | None
    table: str | None
    text: str  # the statement without leading comments


_NAME = r"""(?:`(?:[^`]|``){1,128}`|"(?:[^"]|""){1,128}"|\[[^\]\n]{1,128}\]|\{[^}\n]{1,128}\}|[\w$#]{1,128})"""
NAME = _NAME
"""A pattern for one name, as any of the quotes write it."""
_TABLE = rf"(?P<table>{_NAME}(?:\s{{0,5}}\.\s{{0,5}}{_NAME}){{0,2}})"
_COMMENT = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/|#[^\n_]*\n)+", re.DOTALL)
_BEGINNINGS = (
    (
        Verb.INSERT,
        r"(?:insert(?:\s+(?:low_priority|delayed|high_priority|ignore)){0,3}|replace(?:\s+(?:low_priority|delayed))?)\s+into\b",
    ),
    (Verb.UPDATE, r"update(?:\s+(?:low_priority|ignore|only)){0,3}\b"),
    (Verb.ALTER, r"alter(?:\s+(?:online|offline|ignore))?\s+table(?:\s+if\s+exists)?(?:\s+only)?\b"),
    (
        Verb.CREATE_INDEX,
        rf"create\s+(?:unique\s+)?index\s+(?:concurrently\s+)?(?:if\s+not\s+exists\s+)?(?:{_NAME}\s+)?(?:using\s+\w+\s+)?on\b",
    ),
    (Verb.CREATE, r"create\s+(?:temporary\s+)?(?:table|type|materialized\s+view|view)(?:\s+if\s+not\s+exists)?\b"),
    (
        Verb.LOAD,
        r"load\s+data\s.{0,400}?into\s+table\b",
    ),
    (Verb.COPY, r"copy\b"),
)
_PATTERNS = tuple(
    (verb, re.compile(rf"{words}(?:\s+(?:only\s+)?{_TABLE})?", re.IGNORECASE | re.DOTALL))
    for verb, words in _BEGINNINGS
)
_PART = re.compile(_NAME)


def target(statement: str) -> Target | None:
    """Return what the statement does; None when its beginning is none of these."""
    comment = _COMMENT.match(statement)
    text = statement[comment.end() if comment else 0 :]
    for verb, pattern in _PATTERNS:
        found = pattern.match(text)
        if found is not None:
            names = [unquoted(part) for part in _PART.findall(found["table"] or "")]
            return Target(verb, names[-2] if len(names) > 1 else None, names[-1] if names else None, text)
    return None


def unquoted(name: str) -> str:
    """Return a name without its quotes."""
    quote = name[:1]
    if quote in ("`", '"'):
        return name[1:-1].replace(quote * 2, quote)
    return name[1:-1] if quote in ("[", "{") else name
