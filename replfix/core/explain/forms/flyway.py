"""Flyway: ``Message    : …``, and the statement in a line of its own below."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "Flyway"

_MESSAGE = re.compile(r"Message +: (?:\(conn=-?\d+\) |ERROR: )?\Z")
_STATEMENT = re.compile(r"\nStatement +: ")


def recognise(around: Around) -> Context | None:
    if not _MESSAGE.search(around.line_before):
        return None
    return Context(statement=statement_after(around.after[:4_000], _STATEMENT, ("\n\n", "\n\tat ", "\nCaused by")))
