"""What one SELECT says about a table, asked of both servers of an incident: ``Side.facts`` has the answers.

A fact that a cause needs is one entry here. No port and no adapter has to know it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from replfix.core.schema.table import TableName
from replfix.core.sql.names import string

FactRows = tuple[tuple[str | None, ...], ...]
"""Rows of the answer, every value as the server prints it."""


@dataclass(frozen=True, slots=True)
class TableFact:
    """A question about one table, by a name that is used once."""

    name: str
    statement: Callable[[TableName], str]
    """A SELECT that takes no lock and is quick on a table of any size."""


def _created(name: TableName) -> str:
    return (
        "SELECT UNIX_TIMESTAMP(CREATE_TIME) FROM information_schema.TABLES "
        f"WHERE TABLE_SCHEMA = {string(name.schema)} AND TABLE_NAME = {string(name.name)}"
    )


CREATED = TableFact("created", _created)
"""When a statement made or last rebuilt the table, in seconds since 1970; NULL when the server does not know."""

TABLE_FACTS: tuple[TableFact, ...] = (CREATED,)
