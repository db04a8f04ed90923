"""Elixir: Postgrex's and MyXQL's errors, with ``table:`` and ``constraint:`` below, and Ecto's ``query:``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, statement_after

NAME = "Ecto"

_MARKS = re.compile(r"\(?(?:Postgrex|MyXQL)\.Error\)?|Ecto\.ConstraintError")
_TABLE = re.compile(r"^ {2,8}table: (?P<table>[^\n]{1,128})$", re.MULTILINE)
_SCHEMA = re.compile(r"^ {2,8}schema: (?P<schema>[^\n]{1,128})$", re.MULTILINE)
_QUERY = re.compile(r"^ {2,8}query: ", re.MULTILINE)


def recognise(around: Around) -> Context | None:
    if not _MARKS.search(around.before[-300:]):
        return None
    text = around.message + around.after[:2_000]
    table, schema = _TABLE.search(text), _SCHEMA.search(text)
    return Context(
        statement=statement_after(around.after[:4_000], _QUERY, ("\n",)),
        table=table["table"].strip() if table else None,
        schema=schema["schema"].strip() if schema else None,
    )
