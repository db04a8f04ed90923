"""Java: Connector/J and MariaDB's driver, Hibernate, Spring, MyBatis."""

from __future__ import annotations

import re

from replfix.core.explain.around import Around, Context, cleaned, statement_after

NAME = "JDBC"

_MARKS = re.compile(
    r"(?:IntegrityConstraintViolation|BatchUpdate|PSQL|DataIntegrityViolation|DuplicateKey|ConstraintViolation|SQL)Exception|"
    r"SqlExceptionHelper|could not execute (?:statement|batch)|\(conn=\d+\) "
)
_BEHIND = re.compile(
    r"\A['\"]*\] \[(?=insert|update|replace)|SQL(?: statement)?: \[?(?=insert|update|replace)", re.IGNORECASE
)
_MYBATIS = re.compile(r"### SQL: ")
_SPRING = re.compile(r"SQL \[(?=insert|update|replace)", re.IGNORECASE)


def recognise(around: Around) -> Context | None:
    # In a line of its own (SqlExceptionHelper), the exception can only be named below.
    if not (_MARKS.search(around.before[-1_000:]) or _MARKS.search(around.after[:600])):
        return None
    statement = statement_after(around.after[:6_000], _BEHIND, ("]", "\n"))
    if statement is None and (found := list(_MYBATIS.finditer(around.before)) or list(_MYBATIS.finditer(around.after))):
        text = around.before if found[-1].string is around.before else around.after
        statement = cleaned(text[found[-1].end() :].partition("\n")[0])
    if statement is None and (found := list(_SPRING.finditer(around.before))):
        statement = cleaned(around.before[found[-1].end() :].partition("]")[0])
    return Context(statement=statement)
