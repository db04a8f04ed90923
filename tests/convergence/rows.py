"""All rows of all tables as plain SQL shows them, and what became of them from one look to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from replfix.mysql.connection.session import Session
from tests.convergence.schema import Table, quoted


@dataclass(frozen=True, slots=True)
class Held:
    """One row: every value, and for each foreign key the name of the row that it references. Of rows that only their
    values name, how many there are."""

    values: tuple[str | None, ...]
    references: tuple[str | None, ...]
    count: int = 1


Key = tuple[str, str]  # table, and what names the row
State = Mapping[Key, Held]


@dataclass(frozen=True, slots=True)
class Touch:
    """A row that differs between two looks at one server."""

    key: Key
    before: Held | None
    after: Held | None


def look(session: Session, tables: Sequence[Table]) -> State:
    state: dict[Key, Held] = {}
    for table in tables:
        parts = [_text(c.kind.shows(quoted(c.name))) for c in table.columns]
        width = len(parts)
        parts += [_name(table, reference.columns) for reference in table.references]
        named = _name(table, table.identity) if table.identity else "''"
        rows = session.rows(f"SELECT {named}, {', '.join(parts)} FROM {table.sql}")
        if table.identity:
            for name, *values in rows:
                state[table.name, name] = Held(tuple(values[:width]), tuple(values[width:]))
        else:
            for (_, *values), count in Counter(rows).items():
                name = repr(values)
                state[table.name, name] = Held(tuple(values[:width]), tuple(values[width:]), count)
    return state


def _text(expression: str) -> str:
    return f"CAST({expression} AS CHAR CHARACTER SET utf8mb4)"


def _name(table: Table, columns: Sequence[str]) -> str:
    """NULL where one of the columns is."""
    named = (_text(table.column(name).kind.names(quoted(name))) for name in columns)
    return f"CONCAT({', '.join(_between(named))})"


def _between(parts: Iterator[str]) -> Iterator[str]:
    for number, part in enumerate(parts):
        if number:
            yield "'/'"
        yield part


def touches(before: State, after: State) -> Iterator[Touch]:
    for key in dict.fromkeys((*before, *after)):
        if before.get(key) != after.get(key):
            yield Touch(key, before.get(key), after.get(key))
