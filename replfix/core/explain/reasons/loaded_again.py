"""COPY, pg_restore, mysqlimport or LOAD DATA into a table that has the rows already."""

from __future__ import annotations

import re

from replfix.core.diagnosis.cause import Cause, Confidence
from replfix.core.explain import text_facts
from replfix.core.explain.duplicate import Duplicate, Kind
from replfix.core.explain.explanation import Case
from replfix.core.explain.statement_target import Verb
from replfix.core.remedies.remedy import Fix

CODE = "loaded-again"

COPIED = re.compile(
    r'COPY "?(?P<table>[^\s,"]{1,128})"?, (?:line|Zeile|línea|ligne|行|строка|riga|linia|linha) ?(?P<line>\d+)'
)


def copied(duplicate: Duplicate) -> re.Match[str] | None:
    """Return the table and line of a COPY that the text is from."""
    return COPIED.search(duplicate.context or "")


def examine(case: Case) -> Cause | None:
    duplicate = case.duplicate
    if duplicate.kind is not Kind.DUPLICATE:
        return None
    copy = copied(duplicate)
    target = text_facts.target_of(duplicate)
    loads = target is not None and target.verb in (Verb.LOAD, Verb.COPY)
    if copy is None and not loads:
        return None
    evidence = [
        f"The rows come from COPY into {copy['table']}, line {copy['line']}." if copy else "The statement loads a file."
    ]
    if copy is not None and copy["line"] == "1":
        evidence.append("The very first line collides: the table most likely has all of these rows.")
    return Cause(
        CODE,
        Confidence.MEDIUM,
        "A file or dump is loaded into a table that has some of its rows already, or the file has a key twice.",
        tuple(evidence),
        (
            Fix(
                "COPY is one statement: none of its rows was stored. Look whether the table has rows that the file has too."
            ),
            Fix(
                "Load into an empty staging table, and from there INSERT … SELECT … ON CONFLICT (columns) DO NOTHING, which leaves existing rows; "
                "for a whole restore pg_restore --clean --if-exists, which drops the tables and everything written since the dump."
            ),
        ),
    )
