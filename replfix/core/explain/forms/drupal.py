"""Drupal: ``: INSERT INTO {table} (…) VALUES (:db_insert_placeholder_0); Array ( [:db_insert_placeholder_0] => 13 )``."""

from __future__ import annotations

import re

from replfix.core.explain.around import SHOWN, Around, Context, cleaned

NAME = "Drupal"

_STATEMENT = re.compile(r"\A['\"]*: (?=(?:INSERT|UPDATE|REPLACE|MERGE)\s+(?:INTO\s+)?[{\"])", re.IGNORECASE)
_ENDS = ("; Array", ";\nArray", "\nArray", "; array(")


def recognise(around: Around) -> Context | None:
    mark = _STATEMENT.match(around.after)
    if mark is None or not ("{" in around.after[: mark.end() + 20] or ":db_" in around.after[:SHOWN]):
        return None
    rest = around.after[mark.end() :]
    limit = min((at for end in _ENDS if (at := rest.find(end)) >= 0), default=len(rest))
    return Context(statement=cleaned(rest[:limit]))
