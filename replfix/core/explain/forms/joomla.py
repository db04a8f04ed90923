"""Joomla: ``… SQL=INSERT INTO #__users …``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "Joomla"

_SQL = re.compile(r"\A['\"]* SQL=")


def recognise(around: Around) -> Context | None:
    if not _SQL.match(around.after):
        return None
    return Context(statement=statement_after(around.after, _SQL, ("\n", "</", "<br")))
