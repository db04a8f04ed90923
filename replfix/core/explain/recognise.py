"""From any text to the duplicate-key errors in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from replfix.core.explain import insert
from replfix.core.explain.around import AFTER, BEFORE, Around, Context
from replfix.core.explain.duplicate import Duplicate, Product
from replfix.core.explain.forms import FORMS
from replfix.core.explain.message import Message, messages
from replfix.core.explain.postgresql_errors import Violation, violations

ACCEPTED = (
    "MySQL and MariaDB error 1062 (\"Duplicate entry '…' for key '…'\", in every language the server speaks) and PostgreSQL's "
    '23505 ("duplicate key value violates unique constraint …"), as clients, drivers, frameworks and logs print them.'
)

JSON_DEPTH = 4
JSON_LENGTH = 256_000


MOST = 1_000
"""Different errors that are taken out of one text; a log of more is for ``--file``."""


def recognise(text: str) -> tuple[Duplicate, ...]:
    """Return every error in the text, in order; one that is there twice (a nested exception) once. Never raises."""
    found: dict[tuple[Product, str, str | None], Duplicate] = {}
    for duplicate in _found(flat(text)):
        name = duplicate.dialect, duplicate.key, duplicate.value
        known = found.get(name)
        found[name] = duplicate if known is None else _fuller(known, duplicate)
        if len(found) >= MOST:
            break
    return tuple(found.values())


def _found(text: str) -> Iterator[Duplicate]:
    hits: list[Message | Violation] = sorted([*messages(text), *violations(text)], key=lambda hit: hit.start)
    for number, hit in enumerate(hits):
        # No further than to the next message on either side: what is there is about that one.
        earliest = hits[number - 1].end if number else 0
        latest = hits[number + 1].start if number + 1 < len(hits) else len(text)
        around = Around(
            text[max(earliest, hit.start - BEFORE) : hit.start],
            text[hit.start : hit.end],
            text[hit.end : min(latest, hit.end + AFTER)],
        )
        form, context = _form(around)
        said = insert.read(context.statement) if context.statement else None
        yield Duplicate(
            dialect=Product.MYSQL if isinstance(hit, Message) else Product.POSTGRESQL,
            form=form,
            key=hit.key if isinstance(hit, Message) else hit.constraint,
            value=hit.value,
            columns=hit.columns if isinstance(hit, Violation) else (),
            schema=context.schema or (said.schema if said else None),
            table=context.table or (said.table if said else None),
            statement=context.statement,
            gtid=context.gtid,
            replication=context.replication,
            others=hit.others if isinstance(hit, Message) else (),
        )


def _form(around: Around) -> tuple[str, Context]:
    for form in FORMS:
        context = form.recognise(around)
        if context is not None:
            return form.NAME, context
    raise AssertionError("the form 'plain' takes every text")


def _fuller(one: Duplicate, other: Duplicate) -> Duplicate:
    """Return the fuller one of two texts of one error; the first where they say the same."""
    return max((one, other), key=lambda d: (d.statement is not None, d.table is not None, d.form != "plain"))


def flat(text: str) -> str:
    """Return the text with every JSON line replaced by its strings, one a line, as ``name: string``."""
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
        for part in value:
            _strings(part, name, lines, depth)
    elif isinstance(value, str):
        nested = _flat_document(value, depth + 1) if depth < JSON_DEPTH and value.lstrip().startswith("{") else None
        lines.append(f"{name}: {value}" if nested is None else nested)
