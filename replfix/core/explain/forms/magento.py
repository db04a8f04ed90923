"""Magento and other users of Zend_Db: ``…, query was: INSERT INTO …``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "Magento"

_QUERY = re.compile(r"\A['\"]*, query was: ")


def recognise(around: Around) -> Context | None:
    if not _QUERY.match(around.after):
        return None
    return Context(statement=statement_after(around.after, _QUERY, ("\n", "\\n")))
