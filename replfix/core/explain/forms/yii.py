"""Yii: ``The SQL being executed was: INSERT INTO …``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "Yii"

_EXECUTED = re.compile(r"(?:The SQL being executed was|The SQL statement executed was): ")


def recognise(around: Around) -> Context | None:
    if not _EXECUTED.search(around.after[:2_000]):
        return None
    return Context(statement=statement_after(around.after, _EXECUTED, ("\n", "\\n", " in /")))
