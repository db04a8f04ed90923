"""Ruby on Rails: ``ActiveRecord::RecordNotUnique: Mysql2::Error: …``, Trilogy; before 6.0 then ``: INSERT INTO …``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "Rails"

_MARKS = re.compile(r"Mysql2::Error: |Trilogy::\w+: (?:1062: )?|ActiveRecord::RecordNotUnique|PG::UniqueViolation")
_STATEMENT = re.compile(r"\A['\"]*\s*: (?=INSERT|UPDATE|REPLACE)", re.IGNORECASE)


def recognise(around: Around) -> Context | None:
    if not _MARKS.search(around.before[-400:]):
        return None
    return Context(statement=statement_after(around.after, _STATEMENT, ("\n",)))
