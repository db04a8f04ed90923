"""Random statements by what the server's tables are at that moment. One that fails on its own server does nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.convergence.schema import SCHEMA, quoted
from tests.convergence.wild.live import Column, Table

VALUES = {
    "int": tuple(map(str, range(1, 10))),
    "bigint": ("1", "2", "3", "9000000000"),
    "smallint": ("1", "2", "300"),
    "varchar": ("'a'", "'b'", "'c'", "'a rather long value'", "''"),
    "char": ("'a'", "'b'", "'cc'"),
    "decimal": ("0.50", "1.25", "-3"),
    "datetime": ("'2026-01-01 00:00:00'", "'2026-05-05 05:05:05'"),
    "json": ("'{\"a\": 1, \"b\": [1, 2]}'", "'[]'", "'{\"a\": \"a longer text, so that a change of it is worth a difference\"}'"),
    "longtext": ("'{\"a\": 1}'", "'[]'"),  # JSON of MariaDB
    "enum": ("'x'", "'y'"),
}  # fmt: skip
TYPES = (
    "INT", "BIGINT", "SMALLINT", "VARCHAR(30)", "VARCHAR(30) CHARACTER SET latin1", "CHAR(4)", "DECIMAL(8,2)", "DATETIME", "JSON",
    "ENUM('x','y')",
)  # fmt: skip
WIDER = {"smallint": "INT", "int": "BIGINT", "varchar": "VARCHAR(60)", "char": "CHAR(8)", "decimal": "DECIMAL(12,2)"}
NARROWER = {"int": "SMALLINT", "bigint": "INT", "varchar": "VARCHAR(6)", "char": "CHAR(2)", "decimal": "DECIMAL(4,2)"}

Tables = Sequence[Table]


class Statements:
    """``columns``, ``tables`` and keys get numbers of their own, so that a name never comes back."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._number = 0

    def fresh(self, kind: str) -> str:
        self._number += 1
        return f"{kind}{self._number}"

    # --- definitions ---

    def create(self) -> str:
        rng = self.rng
        name = f"{SCHEMA}.{self.fresh('t')}"
        columns = [f"{self.fresh('c')} {rng.choice(TYPES)} NULL" for _ in range(rng.randint(1, 4))]
        draw = rng.random()
        key = "id INT AUTO_INCREMENT PRIMARY KEY" if draw < 0.5 else "id INT PRIMARY KEY"
        first = [] if draw > 0.93 else [key]
        unique = []
        if rng.random() < 0.6:
            column = self.fresh("u")
            columns.append(f"{column} {rng.choice(('INT', 'VARCHAR(30)'))} NULL")
            unique.append(f"UNIQUE KEY {self.fresh('k')} ({column})")
        return f"CREATE TABLE {name} ({', '.join((*first, *columns, *unique))}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"

    def altered(self, found: Tables) -> list[str]:
        """One change of a definition; several statements where people take several."""
        table = self.rng.choice(found)
        return self.rng.choice(self._ways)(self, table)

    def _added_column(self, table: Table) -> list[str]:
        rng = self.rng
        place = rng.choice(("", "", " FIRST", f" AFTER {quoted(rng.choice(table.columns).name)}"))
        type_ = rng.choice(TYPES)
        default = " NOT NULL DEFAULT 5" if type_ in ("INT", "BIGINT", "SMALLINT") and rng.random() < 0.5 else " NULL"
        return [f"ALTER TABLE {table.sql} ADD COLUMN {self.fresh('c')} {type_}{default}{place}"]

    def _dropped_column(self, table: Table) -> list[str]:
        column = self._plain(table)
        return (
            []
            if column is None or len(table.plain) < 2
            else [f"ALTER TABLE {table.sql} DROP COLUMN {quoted(column.name)}"]
        )

    def _wider(self, table: Table) -> list[str]:
        column = self._plain(table)
        if column is None or column.type not in WIDER:
            return []
        return [f"ALTER TABLE {table.sql} MODIFY COLUMN {quoted(column.name)} {WIDER[column.type]} NULL"]

    def _renamed_column(self, table: Table) -> list[str]:
        column = self._plain(table)
        if column is None:
            return []
        return [f"ALTER TABLE {table.sql} RENAME COLUMN {quoted(column.name)} TO {self.fresh('c')}"]

    def _added_key(self, table: Table) -> list[str]:
        column = self._plain(table)
        if column is None or column.type in ("json", "longtext"):
            return []
        unique = "UNIQUE " if self.rng.random() < 0.4 else ""
        return [f"CREATE {unique}INDEX {self.fresh('k')} ON {table.sql} ({quoted(column.name)})"]

    def _dropped_key(self, table: Table) -> list[str]:
        return [f"DROP INDEX {quoted(self.rng.choice(table.keys))} ON {table.sql}"] if table.keys else []

    def _renamed(self, table: Table) -> list[str]:
        return [f"RENAME TABLE {table.sql} TO {SCHEMA}.{self.fresh('t')}"]

    def _swapped(self, table: Table) -> list[str]:
        """As gh-ost and pt-online-schema-change do it."""
        shadow, old = self.fresh("_gho"), self.fresh("_del")
        names = ", ".join(quoted(column.name) for column in table.columns)
        column = self.fresh("c")
        done = [
            f"CREATE TABLE {SCHEMA}.{shadow} LIKE {table.sql}",
            f"ALTER TABLE {SCHEMA}.{shadow} ADD COLUMN {column} INT NULL",
            f"INSERT INTO {SCHEMA}.{shadow} ({names}) SELECT {names} FROM {table.sql}",
            f"RENAME TABLE {table.sql} TO {SCHEMA}.{old}, {SCHEMA}.{shadow} TO {table.sql}",
        ]
        return [*done, f"DROP TABLE {SCHEMA}.{old}"] if self.rng.random() < 0.5 else done

    def _selected(self, table: Table) -> list[str]:
        return (
            [f"CREATE TABLE {SCHEMA}.{self.fresh('s')} (PRIMARY KEY (id)) SELECT * FROM {table.sql}"]
            if table.primary
            else []
        )

    def _dropped(self, table: Table) -> list[str]:
        return [f"DROP TABLE {table.sql}"] if self.rng.random() < 0.3 else []

    def _truncated(self, table: Table) -> list[str]:
        return [f"TRUNCATE TABLE {table.sql}"]

    def _converted(self, table: Table) -> list[str]:
        charset = self.rng.choice(("utf8mb4", "latin1"))
        return [f"ALTER TABLE {table.sql} CONVERT TO CHARACTER SET {charset}"]

    def _made(self, table: Table) -> list[str]:
        return [self.create()]

    _ways: Sequence[Callable[[Statements, Table], list[str]]] = (
        *(_added_column,) * 4,
        *(_dropped_column,) * 2,
        *(_wider,) * 2,
        _renamed_column,
        *(_added_key,) * 3,
        _dropped_key,
        _renamed,
        *(_swapped,) * 2,
        _selected,
        _dropped,
        _truncated,
        _converted,
        _made,
    )

    # --- rows ---

    def written(self, found: Tables, *, plain: bool) -> str:
        """``plain``: a statement that does the same to one row wherever it runs."""
        rng = self.rng
        table = rng.choice(found)
        draw = rng.random()
        if draw < 0.45:
            return self._insert(table, "INSERT INTO")
        if draw < 0.7:
            return f"UPDATE {table.sql} SET {self._assignments(table)} WHERE {self._where(table, plain=plain)}"
        if draw < 0.85 or plain:
            return f"DELETE FROM {table.sql} WHERE {self._where(table, plain=plain)}"
        if draw < 0.9:
            return self._insert(table, "REPLACE INTO")
        if draw < 0.94:
            return f"{self._insert(table, 'INSERT INTO')} ON DUPLICATE KEY UPDATE {self._assignments(table)}"
        return self._of_two(table, rng.choice(found))

    def _of_two(self, one: Table, other: Table) -> str:
        if one == other or not one.primary or not other.primary:
            return self._insert(one, "INSERT IGNORE INTO")
        joined = f"{one.sql} a JOIN {other.sql} b ON a.id = b.id"
        where = f"a.id = {self.rng.randint(1, 9)}"
        if self.rng.random() < 0.5:
            return f"DELETE a, b FROM {joined} WHERE {where}"
        column = self._plain(one)
        return f"UPDATE {joined} SET a.{quoted(column.name)} = {self._value(column)} WHERE {where}" if column else ""

    def _insert(self, table: Table, verb: str) -> str:
        rng = self.rng
        columns = [column for column in table.written if column.name in table.primary or rng.random() < 0.9]
        names = ", ".join(quoted(column.name) for column in columns)
        rows = (f"({', '.join(self._value(column) for column in columns)})" for _ in range(rng.choice((1, 1, 2))))
        return f"{verb} {table.sql} ({names}) VALUES {', '.join(rows)}"

    def _assignments(self, table: Table) -> str:
        columns = self.rng.sample(table.plain, min(len(table.plain), self.rng.choice((1, 1, 2)))) or table.columns[:1]
        return ", ".join(f"{quoted(column.name)} = {self._assigned(column)}" for column in columns)

    def _assigned(self, column: Column) -> str:
        if column.type == "json" and self.rng.random() < 0.6:
            return f"JSON_SET({quoted(column.name)}, '$.a', {self.rng.randint(1, 9)})"
        return self._value(column)

    def _where(self, table: Table, *, plain: bool) -> str:
        by = table.columns[0] if not table.primary else next(c for c in table.columns if c.name in table.primary)
        if not plain and self.rng.random() < 0.4:
            by = self.rng.choice(table.columns)
        return f"{quoted(by.name)} = {self.rng.choice(VALUES[by.type])}"

    def _value(self, column: Column) -> str:
        if column.nullable and self.rng.random() < 0.2:
            return "NULL"
        return self.rng.choice(VALUES[column.type])

    def _plain(self, table: Table) -> Column | None:
        return self.rng.choice(table.plain) if table.plain else None

    # --- drift, on the replica alone ---

    def drifted(self, found: Tables) -> tuple[Table, str, str]:
        """Which table, what kind of drift, and the statement; empty for none."""
        rng = self.rng
        table = rng.choice(found)
        column = self._plain(table)
        kind = rng.choice(("extra column", "extra column", "missing column", "wider", "wider", "narrower", "reordered", "charset",
                           "extra key", "missing key", "missing table", "renamed column"))  # fmt: skip
        alter = f"ALTER TABLE {table.sql}"
        name = quoted(column.name) if column else ""
        statement = ""
        if kind == "extra column":
            statement = f"{alter} ADD COLUMN {self.fresh('x')} INT NULL"
        elif kind == "missing table":
            statement = f"DROP TABLE {table.sql}" if rng.random() < 0.5 else ""
        elif kind == "missing key" and table.keys:
            statement = f"DROP INDEX {quoted(rng.choice(table.keys))} ON {table.sql}"
        elif kind == "charset":
            statement = f"{alter} CONVERT TO CHARACTER SET latin1"
        elif column is None:
            pass
        elif kind == "missing column" and len(table.plain) > 1:
            statement = f"{alter} DROP COLUMN {name}"
        elif kind == "renamed column":
            statement = f"{alter} RENAME COLUMN {name} TO {self.fresh('x')}"
        elif kind in ("wider", "narrower") and column.type in (types := WIDER if kind == "wider" else NARROWER):
            statement = f"{alter} MODIFY COLUMN {name} {types[column.type]} NULL"
        elif kind == "reordered" and column.type in ("int", "bigint"):
            statement = f"{alter} MODIFY COLUMN {name} {column.type.upper()} NULL FIRST"
        elif kind == "extra key" and column.type not in ("json", "longtext"):
            unique = rng.choice(("UNIQUE ", ""))
            statement = f"CREATE {unique}INDEX {self.fresh('x')} ON {table.sql} ({name})"
        return table, kind, statement
