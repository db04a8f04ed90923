"""Markdown with names, values and messages in it that come from servers and are hostile: values stand in code, sentences are
escaped, so that none of them can end a table's cell, a fence or a line, or become a link, a heading or HTML."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from replfix.present.safe_text import visible

SENTENCE_WIDTH = 2_000

_PUNCTUATION = re.compile(r"[\\`*\[\]<>#|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])|(?<=:)/|^[-+=]")
_NUMBER = re.compile(r"^(\d{1,9})([.)])")
_MENTION = re.compile(r"(?<![\w@])@(?=\w)")


def sentence(text: str) -> str:
    """Words of ours with names and values in them, on one line, as plain text."""
    line = visible(cut(text, SENTENCE_WIDTH), keep_newlines=False).strip()
    escaped = _NUMBER.sub(r"\1\\\2", _PUNCTUATION.sub(r"\\\g<0>", line))
    return _MENTION.sub("@<!-- -->", escaped)  # nobody is notified because a row says so


def code(text: str) -> str:
    """``text`` in code, on one line. A vertical bar would end a table's cell in some readers, also within backquotes."""
    line = visible(text, keep_newlines=False)
    if "|" in line or not line.strip():
        return f"<code>{''.join(c if c.isalnum() or c == ' ' else f'&#{ord(c)};' for c in line)}</code>"
    fence = "`" * (_longest_run(line) + 1)
    padding = " " if line.startswith(("`", " ")) or line.endswith(("`", " ")) else ""
    return f"{fence}{padding}{line}{padding}{fence}"


def fenced(lines: Sequence[str], language: str = "") -> list[str]:
    """A block of code whose fence is longer than any within."""
    body = [visible(line) for line in lines]
    fence = "`" * max(3, 1 + max((_longest_run(line) for line in body), default=0))
    return [f"{fence}{language}", *body, fence]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Cells are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[:width]}… ({len(text)} characters)"


def points(title: str, sentences: Sequence[str]) -> Iterator[str]:
    if sentences:
        yield from (title, "", *(f"- {sentence(text)}" for text in sentences), "")
