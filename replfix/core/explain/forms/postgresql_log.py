"""PostgreSQL's own log and psql: ``ERROR:``, ``DETAIL:``, ``STATEMENT:``."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned

NAME = "PostgreSQL"

_ERROR = re.compile(r"(?:ERROR|FEHLER|ERREUR|ERRORE|ОШИБКА|BŁĄD|ERRO|FEL|HATA|错误|오류) ?:  ?\Z")
_STATEMENT = re.compile(r"STATEMENT:  ?")
_TABLE = re.compile(r"TABLE NAME:  ?(?P<table>[^\n]{1,128})")
_SCHEMA = re.compile(r"SCHEMA NAME:  ?(?P<schema>[^\n]{1,128})")


def recognise(around: Around) -> Context | None:
    if not _ERROR.search(around.line_before):
        return None
    mark = _STATEMENT.search(around.after[:6_000])
    table, schema = _TABLE.search(around.after[:6_000]), _SCHEMA.search(around.after[:6_000])
    return Context(
        statement=cleaned(around.after[mark.end() :].partition("\n")[0]) if mark else None,
        schema=schema["schema"].strip() if schema else None,
        table=table["table"].strip() if table else None,
    )
