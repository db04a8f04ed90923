"""Python's drivers and Django: ``IntegrityError: (1062, "…")``, mysql-connector's ``1062 (23000): …``, psycopg."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context

NAME = "Python"

_MARKS = re.compile(
    r"""\(1062, u?\\*["']\Z|IntegrityError: 1062 \(23000\): \Z|(?:IntegrityError|UniqueViolation)\)?[:(] ?["']?\Z"""
)


def recognise(around: Around) -> Context | None:
    return Context() if _MARKS.search(around.line_before) else None
