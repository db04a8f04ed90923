"""Tables and drift that worlds of seeds from ``settings.RICHER`` on have beside the others: generated columns, unique keys of several
columns, vectors, foreign keys; other expressions, keys in another order, and foreign keys that only one server has."""

from __future__ import annotations

import random

from replfix.errors import ServerError
from replfix.mysql.connection.session import Session
from tests.convergence.schema import SCHEMA, quoted
from tests.convergence.wild.live import Column, Table
from tests.convergence.wild.statements import Statements, Tables

_VECTORS = ("[1,2,3]", "[0.5,-1,1e10]", "[0,0,0]")
_FUNCTIONS = ("TO_VECTOR", "VEC_FromText")  # MySQL 9, MariaDB 11.7
EXPRESSION, KEY_ORDER, FOREIGN_KEY, NO_FOREIGN_KEY = (
    "generated expression",
    "reordered key",
    "extra foreign key",
    "missing foreign key",
)


def vectors_of(session: Session) -> str:
    """The function that makes a vector of a text; empty where the server has none."""
    for function in _FUNCTIONS:
        try:
            session.scalar(f"SELECT HEX({function}('[1]'))")
        except ServerError:
            continue
        return function
    return ""


class Richer(Statements):
    def __init__(self, rng: random.Random, vectors: str) -> None:
        super().__init__(rng)
        self._vectors = vectors
        self._parents: list[str] = []

    def create(self) -> str:
        rng, parts = self.rng, list[str]()
        base = super().create()
        if rng.random() < 0.5:
            number, made = self.fresh("c"), self.fresh("g")
            stored = rng.choice(("STORED", "VIRTUAL"))
            parts += [f"{number} INT NULL", f"{made} INT GENERATED ALWAYS AS ({number} * 2) {stored}"]
            if rng.random() < 0.3:
                parts.append(f"UNIQUE KEY {self.fresh('k')} ({made})")
        if rng.random() < 0.4:
            one, other = self.fresh("c"), self.fresh("c")
            parts += [f"{one} INT NULL", f"{other} VARCHAR(20) NULL", f"UNIQUE KEY {self.fresh('k')} ({one}, {other})"]
        if self._vectors and rng.random() < 0.3:
            parts.append(f"{self.fresh('c')} VECTOR(3) NULL")
        if self._parents and rng.random() < 0.5:
            column = self.fresh("c")
            parent = rng.choice(self._parents)
            parts += [
                f"{column} INT NULL",
                f"CONSTRAINT {self.fresh('fk')} FOREIGN KEY ({column}) REFERENCES {parent} (id)",
            ]
        if "PRIMARY KEY" in base:
            self._parents.append(base.split()[2])
        return base.replace(") ENGINE", f", {', '.join(parts)}) ENGINE") if parts else base

    def _value(self, column: Column) -> str:
        if column.type == "vector":
            return f"{self._vectors}('{self.rng.choice(_VECTORS)}')"
        return super()._value(column)

    def _where(self, table: Table, *, plain: bool) -> str:
        known = [column for column in table.columns if column.type != "vector"]
        return super()._where(Table(table.name, tuple(known), table.primary, table.keys, table.uniques), plain=plain)

    def drifted(self, found: Tables) -> tuple[Table, str, str]:
        if self.rng.random() < 0.3:
            return super().drifted(found)
        offered = [each for table in found for each in self._drifts(table, found)]
        return self.rng.choice(offered) if offered else super().drifted(found)

    def _drifts(self, table: Table, found: Tables) -> list[tuple[Table, str, str]]:
        alter, offered = f"ALTER TABLE {table.sql}", list[tuple[str, str]]()
        numbers = [column for column in table.plain if column.type == "int"]
        for made in (column for column in table.columns if column.generated):
            for number in numbers:
                for stored in ("STORED", "VIRTUAL"):
                    expression = f"{quoted(made.name)} INT GENERATED ALWAYS AS ({quoted(number.name)} * 2 + 1) {stored}"
                    offered.append((EXPRESSION, f"{alter} MODIFY COLUMN {expression}"))
        for key, columns in table.uniques:
            named = ", ".join(map(quoted, reversed(columns)))
            if len(columns) > 1 or len(table.uniques) > 1:
                offered.append((KEY_ORDER, f"{alter} DROP INDEX {quoted(key)}, ADD UNIQUE KEY {quoted(key)} ({named})"))
        for parent in (each for each in found if each.primary == ("id",) and each != table):
            for number in numbers:
                name = self.fresh("fk")
                reference = f"FOREIGN KEY ({quoted(number.name)}) REFERENCES {SCHEMA}.{quoted(parent.name)} (id)"
                offered.append((FOREIGN_KEY, f"{alter} ADD CONSTRAINT {name} {reference}"))
        offered += [(NO_FOREIGN_KEY, f"{alter} DROP FOREIGN KEY {key}") for key in table.keys if key.startswith("fk")]
        return [(table, kind, statement) for kind, statement in offered]
