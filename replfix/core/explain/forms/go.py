"""Go: go-sql-driver's ``Error 1062 (23000): …`` (before 1.7 without SQLSTATE), gorm's statement, lib/pq, pgx.

gorm prints the statement in the next line.
"""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = "Go"

_MARKS = re.compile(r"Error 1062(?: \(23000\))?: \Z|\bpq: \Z|\bERROR: \Z")
_GORM = re.compile(
    r"\A['\"]*(?: \(SQLSTATE 23505\))?\)?\s*\n?\s*(?:\x1b\[[\d;]*m)?\[[\d.]+ms\][^\n]{0,200}?(?=INSERT|UPDATE|REPLACE)",
    re.IGNORECASE,
)
_POSTGRES = re.compile(r"\(SQLSTATE 23505\)")


def recognise(around: Around) -> Context | None:
    mark = _MARKS.search(around.line_before)
    if mark is None or (mark[0] == "ERROR: " and not _POSTGRES.search(around.after[:600])):
        return None
    found = _GORM.search(around.after)
    return Context(statement=cleaned(around.after[found.end() :].partition("\n")[0]) if found else None)
