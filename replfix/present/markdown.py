"""Markdown with names, values and messages in it that come from servers and are hostile.

Values are written as code, and sentences are escaped, so that none of them can end a table's cell, a fence or a line,
or become a link, a heading or HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from replfix.present.safe_text import visible

SENTENCE_WIDTH = 2_000

_PUNCTUATION = re.compile(r"[\\`*\[\]<>#|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=:)/|^[-+=]")
_NUMBER = re.compile(r"^(\d{1,9})([.)])")
_MENTION = re.compile(r"(?<![\w@])@(?=\w)")


def sentence(text: str) -> str:
    """Return words of ours with names and values in them, on one line, as plain text."""
    line = visible(cut(text, SENTENCE_WIDTH), keep_newlines=False).strip()
    escaped = _NUMBER.sub(r"\1\\\2", _PUNCTUATION.sub(r"\\\g<0>", line))
    return _MENTION.sub("@<!-- -->", escaped)  # nobody is notified because of a name in a row


def code(text: str) -> str:
    """Return ``text`` as code, on one line.

    A vertical bar would end a table's cell in some readers, also within backquotes.
    """
    line = visible(text, keep_newlines=False)
    if "|" in line or not line.strip():
        return f"<code>{''.join(c if c.isalnum() or c == ' ' else f'&#{ord(c)};' for c in line)}</code>"
    fence = "`" * (_longest_run(line) + 1)
    padding = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def fenced(lines: Sequence[str], language: str = "") -> list[str]:
    """Return a block of code whose fence is longer than any within."""
    body = [visible(line) for line in lines]
    fence = "`" * max(3, 1 + max((_longest_run(line) for line in body), default=0))
    return [f"{fence}{language}", *body, fence]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table. Cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def cut(text: str, width: int) -> str:
    """Return ``text``, or its first ``width`` characters followed by its length."""
    return text if len(text) <= width else f"{text[:width]}… ({len(text)} characters)"


def points(title: str, sentences: Sequence[str]) -> Iterator[str]:
    """Yield a heading, which is Markdown already, and a list of escaped sentences; nothing without sentences."""
    if sentences:
        yield from (title, "", *(f"- {sentence(text)}" for text in sentences), "")
