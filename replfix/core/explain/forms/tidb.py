"""TiDB's own log: ``[sql="…"] [err="[kv:1062]Duplicate entry …"]``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = "TiDB"

_MARK = re.compile(r"\[kv:1062\]\Z")
_SQL = re.compile(r'\[sql="(?P<sql>(?:[^"\\]|\\.){1,4000})"\]')


def recognise(around: Around) -> Context | None:
    line = around.line_before
    if not _MARK.search(line):
        return None
    found = list(_SQL.finditer(line)) or list(_SQL.finditer(around.after.partition("\n")[0]))
    return Context(statement=cleaned(found[-1]["sql"].replace('\\"', '"')) if found else None)
