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


_BEGINS = re.compile(
    r"(?:insert\s+(?:\w+\s+){0,2}into\s|replace\s+into\s|update\s+[`\"\w.]+\s+set\s|alter\s+table\s|create\s+unique\s+index\s)",
    re.IGNORECASE,
)
LINES_AFTER = 12
_HEAD = 80
"""Characters of a line before a statement in it: a label, a time, a prompt."""


def nearby(around: Around) -> str | None:
    """Return the statement that is in the message's own line, right before it, or in one of the next lines; else None."""
    line = around.line_before
    found = list(_BEGINS.finditer(line[-SHOWN:]))
    if found:
        return cleaned(re.sub(r"[\s:;-]*(?:Error\b[^\n]{0,40})?\Z", "", line[-SHOWN:][found[0].start() :]))
    at = 0
    after = around.after[:SHOWN]
    for _ in range(LINES_AFTER):
        ends = after.find("\n", at)
        ends = len(after) if ends < 0 else ends
        begins = _BEGINS.search(after, at, min(ends, at + _HEAD + 40))
        if begins is not None:
            return cleaned(after[begins.start() : _end(after, begins.start())])
        if ends >= len(after):
            break
        at = ends + 1
    earlier = around.before[: len(around.before) - len(line)].rstrip("\n")
    last = earlier[earlier.rfind("\n") + 1 :]
    begins = _BEGINS.search(last, 0, _HEAD + 40)
    return cleaned(last[begins.start() :].rstrip().rstrip(";")) if begins is not None else None


def _end(text: str, at: int) -> int:
    """Return where the statement ends: its line, and those after it while a parenthesis of its own is open."""
    ends = text.find("\n", at)
    while 0 <= ends < at + SHOWN and text.count("(", at, ends) > text.count(")", at, ends):
        following = text.find("\n", ends + 1)
        if following < 0:
            return len(text)
        ends = following
    return len(text) if ends < 0 else ends
