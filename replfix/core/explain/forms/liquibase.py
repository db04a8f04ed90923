"""Liquibase: ``[Failed SQL: (1062) ALTER TABLE …]``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = "Liquibase"

_FAILED = re.compile(r"\A['\"]* \[Failed SQL: (?:\(\d+\) )?")


def recognise(around: Around) -> Context | None:
    mark = _FAILED.match(around.after)
    if mark is None:
        return None
    rest = around.after[mark.end() :]
    ends = [at for end in ("]\n", "]\\n", "] at ") if (at := rest.find(end)) >= 0]
    return Context(statement=cleaned(rest[: min(ends, default=len(rest))].rstrip().removesuffix("]")))
