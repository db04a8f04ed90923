"""The text around a message, and what a form makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

BEFORE = 4_000
AFTER = 16_000
"""Characters on each side in which a form looks for its marks: a stack trace's head, a statement's end."""

SHOWN = 4_000


@dataclass(frozen=True, slots=True)
class Around:
    """``before`` ends where the message starts, ``message`` is its text, ``after`` begins where it ends."""

    before: str
    message: str
    after: str

    @property
    def line_before(self) -> str:
        """The part of the message's line that is before it."""
        return self.before[self.before.rfind("\n") + 1 :]


@dataclass(frozen=True, slots=True)
class Context:
    """What a client or log says beside the message; None for what it does not."""

    statement: str | None = None
    schema: str | None = None
    table: str | None = None
    gtid: str | None = None
    replication: bool = False


_VERB = re.compile(
    r"(?:--[^\n]*\n\s*|/\*.{0,200}?\*/\s*)*"
    r"\b(?:insert|replace|update|load\s+data|copy\b|alter\s+(?:online\s+|ignore\s+)?table|create\s+(?:unique\s+)?(?:index|table|type)|commit)\b",
    re.IGNORECASE | re.DOTALL,
)


def statement_after(text: str, marks: re.Pattern[str], ends: tuple[str, ...]) -> str | None:
    """Return the statement after the first of ``marks``, up to the nearest of ``ends`` or the end of the text."""
    mark = marks.search(text)
    if mark is None:
        return None
    begins = mark.end()
    limit = min((at for end in ends if (at := text.find(end, begins)) >= 0), default=len(text))
    return cleaned(text[begins:limit])


def cleaned(statement: str) -> str | None:
    """Return a statement without what is left of its wrapping; None when it is no statement."""
    statement = statement[:SHOWN].strip().strip("'\"").strip()
    return statement if _VERB.match(statement) else None
