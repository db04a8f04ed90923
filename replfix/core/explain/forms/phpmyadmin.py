"""phpMyAdmin: the statement under ``SQL query:``, then ``MySQL said:`` and ``#1062 - …``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = "phpMyAdmin"

_NUMBER = re.compile(r"#\d{4} - \Z")
_QUERY = re.compile(r"SQL query:[^\n]{0,40}\n")
_SAID = re.compile(r"\n\s*MySQL said:")


def recognise(around: Around) -> Context | None:
    if not _NUMBER.search(around.line_before):
        return None
    marks = list(_QUERY.finditer(around.before))
    if not marks:
        return Context()
    text = around.before[marks[-1].end() :]
    said = _SAID.search(text)
    return Context(statement=cleaned(text[: said.start() if said else text.rfind("\n")]))
