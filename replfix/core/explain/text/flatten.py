"""What holds a message together is taken off it: JSON, csvlog, containers' partial lines, strings that Node.js splits."""

from __future__ import annotations

import json
import re
from typing import Any

from replfix.core.explain.log.log_line import joined, might_be_partial
from replfix.core.explain.text.postgresql_csvlog import unpacked

JSON_DEPTH = 4
JSON_LENGTH = 256_000


def flat(text: str) -> str:
    """Return the text with every JSON line replaced by its strings, one a line, as ``name: string``; and so on. Never raises."""
    return _unsplit(_json_lines(unpacked(_whole_lines(text))))


def _whole_lines(text: str) -> str:
    return "\n".join(line for line, _ in joined(text.split("\n"))) if might_be_partial(text) else text


_SPLIT = re.compile(r"""(?P<name>^[ \t]*\w{1,30}: )?(?P<first>['"])(?P<text>[^\n]*)['"] \+\n""", re.MULTILINE)
_NEXT = re.compile(r"""[ \t]*(?P<quote>['"])(?P<text>[^\n]*?)(?P=quote)(?P<more> \+)?(?P<after>,?[ \t]*)(?:\n|\Z)""")


def _unsplit(text: str) -> str:
    """Join ``'one ' +`` and ``'two'`` of the next line, as util.inspect breaks long strings, without their quotes."""
    if " +\n" not in text:
        return text
    parts: list[str] = []
    at = 0
    while (begin := _SPLIT.search(text, at)) is not None:
        joined, end = begin["text"], begin.end()
        more = True
        after = ""
        while more and (following := _NEXT.match(text, end)) is not None:
            joined += following["text"]
            more, end, after = following["more"] is not None, following.end(), following["after"].strip()
        parts += [text[at : begin.start()], begin["name"] or "", joined, after, "\n"]
        at = end
    return "".join(parts) + text[at:] if parts else text


def _json_lines(text: str) -> str:
    if "{" not in text:
        return text
    stripped = text.strip()
    if stripped.startswith("{") and stripped.endswith("}") and "\n" in stripped:
        whole = _flat_document(stripped)
        if whole is not None:
            return whole
    return "\n".join(_flat_line(line) for line in text.split("\n"))


_OBJECT = re.compile(r"\{\s*\"")


def _flat_line(line: str) -> str:
    opening = _OBJECT.search(line, 0, 400) if "{" in line[:400] else None
    if opening is None or not line.rstrip().endswith("}"):
        return line
    document = _flat_document(line[opening.start() :])
    return line if document is None else f"{line[: opening.start()]}\n{document}"


def _flat_document(text: str, depth: int = 0) -> str | None:
    if len(text) > JSON_LENGTH:
        return None
    try:
        # Numbers stay text: one of ten thousand digits is not worth an error.
        document: Any = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    lines: list[str] = []
    try:
        _strings(document, "", lines, depth)
    except RecursionError:
        return None
    return "\n".join(lines).encode("utf-8", "replace").decode()


def _strings(value: Any, name: str, lines: list[str], depth: int) -> None:
    if isinstance(value, dict):
        for inner, part in value.items():
            _strings(part, inner, lines, depth)
    elif isinstance(value, list):
        octets = _octets(value)
        if octets is not None:  # journald, of a message that is no UTF-8 or has control characters
            _strings(octets, name, lines, depth)
            return
        for part in value:
            _strings(part, name, lines, depth)
    elif isinstance(value, str):
        nested = _flat_document(value, depth + 1) if depth < JSON_DEPTH and value.lstrip().startswith("{") else None
        lines.append(f"{name}: {value}" if nested is None else nested)


def _octets(value: list[Any]) -> str | None:
    if len(value) < 8 or not all(isinstance(part, str) and part.isdigit() and len(part) <= 3 for part in value):
        return None
    numbers = [int(part) for part in value]
    return bytes(numbers).decode("utf-8", "replace") if max(numbers) < 256 else None
