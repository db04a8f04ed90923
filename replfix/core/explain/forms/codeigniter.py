"""CodeIgniter: ``Error Number: 1062``, the message, the statement, each in a paragraph of its own."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "CodeIgniter"

_NUMBER = re.compile(r"Error Number: (?:\d{4}|23505)(?:/\d+)?\s*(?:</?\w{1,10}>\s*)*(?:ERROR:\s+)?\Z")
_STATEMENT = re.compile(r"\s*(?:</?\w{1,10}>\s*){0,4}(?=INSERT|UPDATE|REPLACE)", re.IGNORECASE)


def recognise(around: Around) -> Context | None:
    if not _NUMBER.search(around.before[-400:]):
        return None
    return Context(
        statement=statement_after(around.after[:8_000], _STATEMENT, ("\n\nFilename", "\nFilename", "</p>", "\n\n"))
    )
