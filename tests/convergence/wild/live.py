"""The tables of one server as they are now, and all their rows, by plain SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from replfix.mysql.connection.session import Session
from tests.convergence.schema import SCHEMA, quoted

Row = Mapping[str, str | None]  # by the column's name in lower case
Key = tuple[str, ...]
Rows = Mapping[Key, Row]
State = Mapping[str, Rows]  # by table


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: str  # int, varchar …
    nullable: bool
    default: bool
    generated: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    primary: tuple[str, ...]
    keys: tuple[str, ...]  # names of the others
    uniques: tuple[tuple[str, tuple[str, ...]], ...] = ()  # those that are unique, each with its columns

    @property
    def sql(self) -> str:
        return f"{SCHEMA}.{quoted(self.name)}"

    @property
    def plain(self) -> tuple[Column, ...]:
        return tuple(column for column in self.written if column.name not in self.primary)

    @property
    def written(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if not column.generated)


def tables(session: Session) -> tuple[Table, ...]:
    columns: dict[str, list[Column]] = {}
    for table, name, type_, nullable, default, generated in session.rows(
        "SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE, c.IS_NULLABLE, c.COLUMN_DEFAULT IS NOT NULL, "
        "COALESCE(c.GENERATION_EXPRESSION, '') <> '' "
        "FROM information_schema.COLUMNS c JOIN information_schema.TABLES t USING (TABLE_SCHEMA, TABLE_NAME) "
        f"WHERE c.TABLE_SCHEMA = '{SCHEMA}' AND t.TABLE_TYPE = 'BASE TABLE' ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION"
    ):
        columns.setdefault(table, []).append(
            Column(name, str(type_), nullable == "YES", bool(int(default)), bool(int(generated)))
        )
    primary: dict[str, list[str]] = {}
    keys: dict[str, dict[str, None]] = {}
    uniques: dict[tuple[str, str], list[str]] = {}
    for table, key, name, several in session.rows(
        "SELECT TABLE_NAME, INDEX_NAME, COLUMN_NAME, NON_UNIQUE FROM information_schema.STATISTICS "
        f"WHERE TABLE_SCHEMA = '{SCHEMA}' ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX"
    ):
        if key == "PRIMARY":
            primary.setdefault(table, []).append(name)
        else:
            keys.setdefault(table, {})[key] = None
            if not int(several):
                uniques.setdefault((table, key), []).append(name)
    return tuple(
        Table(
            name,
            tuple(found),
            tuple(primary.get(name, ())),
            tuple(keys.get(name, ())),
            tuple((key, tuple(parts)) for (table, key), parts in uniques.items() if table == name),
        )
        for name, found in columns.items()
    )


def look(session: Session, found: Sequence[Table] | None = None) -> State:
    """Rows without a primary key are numbered among their equals. What a server works out of other columns is left out."""
    state: dict[str, Rows] = {}
    for table in tables(session) if found is None else found:
        names = [column.name.lower() for column in table.written]
        shown = ", ".join(map(_shown, table.written))
        rows: dict[Key, Row] = {}
        seen: Counter[Key] = Counter()
        for values in session.rows(f"SELECT {shown} FROM {table.sql}"):
            row = dict(zip(names, values, strict=True))
            if table.primary:
                key = tuple(str(row[name.lower()]) for name in table.primary)
            else:
                key = tuple(f"{name}={value}" for name, value in row.items())
                seen[key] += 1
                key = (*key, f"#{seen[key]}")
            rows[key] = row
        state[table.name] = rows
    return state


def _shown(column: Column) -> str:
    if column.type == "vector":
        return f"HEX({quoted(column.name)})"
    return f"CAST({quoted(column.name)} AS CHAR CHARACTER SET utf8mb4)"


def alike(one: Row | None, other: Row | None) -> bool:
    """Equal in the columns that both have."""
    if one is None or other is None:
        return one is other
    return all(one[name] == other[name] for name in one.keys() & other.keys())
