""".NET: MySQL's and MariaDB's ``MySqlException (0x80004005): …``, Npgsql's ``PostgresException``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = ".NET"

_MARKS = re.compile(r"MySqlException(?: \(0x80004005\))?: |PostgresException(?: \(0x80004005\))?: ")
_STATEMENT = re.compile(
    r"(?:Error while executing '|CommandTimeout='\d+'\]\s*)(?=INSERT|UPDATE|REPLACE)", re.IGNORECASE
)


def recognise(around: Around) -> Context | None:
    if not _MARKS.search(around.before[-400:]):
        return None
    found = list(_STATEMENT.finditer(around.before))
    return Context(
        statement=cleaned(re.split(r"'\n|\n\S*\w+Exception", around.before[found[-1].end() :])[0]) if found else None
    )
