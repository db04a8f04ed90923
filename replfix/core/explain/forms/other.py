"""The server's words with nothing around them that says where they come from."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "plain"

_STATEMENT = re.compile(r"(?:\bSQL|\bsql|[Qq]uery|[Ss]tatement)\"?: ?[\['\"]?(?=insert|update|replace)", re.IGNORECASE)


def recognise(around: Around) -> Context | None:
    return Context(statement=statement_after(around.after[:4_000], _STATEMENT, ("\n", "]")))
