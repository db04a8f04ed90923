"""The lines that PostgreSQL writes after an error: DETAIL, CONTEXT, STATEMENT, in any of its languages.

Several sessions write one log: a line belongs to the error whose session identifier it has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

LINES = 60
SPAN = 16_000
"""Characters after the message in which its lines have to be."""

_LABELS = {
    "detail": r"DETAIL|detail|Detail|DETALLE|DÉTAIL|Détail|DETTAGLI|Dettaglio|SZCZEGÓŁY|Szczegóły|DETALHE|Detalhe|AYRINTI|ПОДРОБНОСТИ|Подробности|詳細|详细信息|描述|상세정보|ДЕТАЛІ",
    "context": r"CONTEXT|context|ZUSAMMENHANG|CONTEXTO|CONTEXTE|CONTESTO|KONTEKST|КОНТЕКСТ|コンテキスト|背景|上下文|상황",
    "statement": r"STATEMENT|statement|ANWEISUNG|SENTENCIA|INSTRUCTION|ISTRUZIONE|WYRAŻENIE|COMANDO|İFADE|ОПЕРАТОР|文|语句|명령 구문",
    "hint": r"HINT|TIPP|SUGERENCIA|ASTUCE|SUGGERIMENTO|ПОДСКАЗКА|ヒント|提示",
    "query": r"QUERY|ANFRAGE|CONSULTA|REQUÊTE|ЗАПРОС|問い合わせ|查询",
    "table": r"TABLE NAME|TableName",
    "schema": r"SCHEMA NAME|SchemaName",
    "column": r"COLUMN NAME",
    "datatype": r"DATATYPE NAME",
    "constraint": r"CONSTRAINT NAME|ConstraintName",
    "location": r"LOCATION",
}
_LABEL = re.compile("|".join(rf"\b(?P<{name}>(?:{words})) ?:[ \t]{{1,2}}" for name, words in _LABELS.items()))
_LEVEL = re.compile(
    r"\b(?:ERROR|LOG|FATAL|PANIC|WARNING|NOTICE|INFO|FEHLER|ERREUR|ERRORE|ОШИБКА|BŁĄD|ERRO|HATA|错误|오류|エラー) ?:  ?"
)
_SESSION = re.compile(r"(?<!SQLSTATE)\[(\d{1,10})(?:-\d{1,10})?\]")
_TIMED = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ")


def session(text: str, at: int) -> str | None:
    """Return the process number that the line at ``at`` begins with, in brackets; None where it has none."""
    begins = max(text.rfind("\n", max(0, at - 400), at) + 1, at - 400)
    found = _SESSION.search(text, begins, at)
    return found[1] if found else None


def fields(text: str, message: int, at: int, following: int | None = None) -> dict[str, str]:
    """Return the fields of the error at ``message`` that follow from ``at`` on, by lower-case English name.

    They end with the next error of the same session; where no session is named, with the next error, at ``following``.
    """
    own = session(text, message)
    limit = min(len(text), at + SPAN)
    if own is None and following is not None:
        limit = min(limit, following)
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in islice(_lines(text, at, limit), LINES):
        label = _LABEL.search(line, 0, 400)
        if label is None:
            level = _LEVEL.search(line, 0, 400)
            if level is not None or _TIMED.match(line):
                if level is not None and _session_of(line, level.start()) == own:
                    break
                current = None
            elif current is not None:
                current.append(line.strip())
            continue
        current = None
        if own is not None and _session_of(line, label.start()) not in (own, None):
            continue
        name = label.lastgroup or ""
        if name not in found:
            current = found[name] = [line[label.end() :]]
    return {name: "\n".join(lines).strip() for name, lines in found.items()}


def _lines(text: str, at: int, limit: int) -> Iterator[str]:
    while at < limit:
        ends = text.find("\n", at, limit)
        ends = limit if ends < 0 else ends
        yield text[at:ends]
        at = ends + 1


def _session_of(line: str, at: int) -> str | None:
    found = _SESSION.search(line, 0, at)
    return found[1] if found else None
