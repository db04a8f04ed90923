"""CakePHP: ``SQL Query: INSERT INTO …`` in the line below."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "CakePHP"

_QUERY = re.compile(r"\A['\"]*\s*\n\s*SQL Query: ")


def recognise(around: Around) -> Context | None:
    if not _QUERY.match(around.after):
        return None
    return Context(statement=statement_after(around.after, _QUERY, ("\n",)))
