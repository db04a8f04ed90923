"""Node.js: mysql and mysql2 (``ER_DUP_ENTRY``, ``sqlMessage``, ``sql``), mariadb, pg (``code: '23505'``).

And what is built on them.
"""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = "Node.js"

_MARKS = re.compile(
    r"ER_DUP_ENTRY|sqlMessage|\(conn=-?\d+, no: 1062|node_modules|QueryFailedError|SequelizeUniqueConstraintError|"
    r"code: '23505'|Code: `1062`"
)
_SQL = re.compile(r"""\bsql"?: ?(?P<quote>['"`])|\nsql: (?P<plain>)""")
_TABLE = re.compile(r"""\btable"?: ?['"](?P<table>[^'"\n]{1,128})['"]""")
_SCHEMA = re.compile(r"""\bschema"?: ?['"](?P<schema>[^'"\n]{1,128})['"]""")


def recognise(around: Around) -> Context | None:
    # PostgreSQL's message ends with its DETAIL, which pg prints among the other fields.
    if not any(_MARKS.search(text) for text in (around.before[-400:], around.message, around.after[:3_000])):
        return None
    table, schema = _TABLE.search(around.after), _SCHEMA.search(around.after)
    return Context(
        statement=_statement(around.after) or _statement(around.before),
        schema=schema["schema"] if schema else None,
        table=table["table"] if table else None,
    )


def _statement(text: str) -> str | None:
    mark = _SQL.search(text)
    if mark is None:
        return None
    rest = text[mark.end() :]
    if mark["quote"] is None:
        return cleaned(re.split(r" - parameters:|\n", rest, maxsplit=1)[0])
    ends = re.search(rf"(?<!\\){mark['quote']}(?=,?\s*(?:\n|\}}|,|$))", rest)
    return cleaned(rest[: ends.start()]) if ends else cleaned(rest.partition("\n")[0])
