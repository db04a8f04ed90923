"""SQLAlchemy: the driver's error, then ``[SQL: …]`` and ``[parameters: …]``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "SQLAlchemy"

_MARK = re.compile(r"\[SQL: (?:u(?=['\"]))?")
_ENDS = ("]\n[parameters", "] [parameters", "]\\n[parameters", "\n(Background on", "] (Background on", "]\n(", "]\n")


def recognise(around: Around) -> Context | None:
    if _MARK.search(around.after[:1_000]) or "sqlalchemy" in around.line_before:
        statement = statement_after(around.after, _MARK, _ENDS)
        return Context(statement=statement.rstrip("]").rstrip("'\"") if statement else None)
    return None
