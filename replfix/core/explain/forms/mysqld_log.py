"""A line of the server's own error log that is not the applier's."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context

NAME = "mysqld log"

_MARKS = re.compile(r"\[(?:ERROR|Warning|Note|System)\] (?:\[MY-\d+\] )?")


def recognise(around: Around) -> Context | None:
    return Context() if _MARKS.search(around.line_before) else None
