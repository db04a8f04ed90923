"""Knex and Objection: the statement, `` - ``, and the server's message."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = "Knex"

_STATEMENT = re.compile(
    r"(?:^|[\s:'\"\[])(?P<statement>(?:insert into|update|replace into|alter table|create unique index) [^\n]{1,4000}) - (?:ER_DUP_ENTRY: )?\Z",
    re.IGNORECASE,
)
_SCHEMA = re.compile(r"""\bschema"?: ?['"](?P<schema>[^'"\n]{1,128})['"]""")


def recognise(around: Around) -> Context | None:
    found = _STATEMENT.search(around.line_before[-6_000:])
    if found is None:
        return None
    schema = _SCHEMA.search(around.after[:1_000])
    return Context(statement=cleaned(found["statement"]), schema=schema["schema"] if schema else None)
