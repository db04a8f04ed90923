"""Random statements by the schema. On its own server a statement may fail: then it does nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.convergence.schema import Column, Table, quoted


class Workload:
    def __init__(self, rng: random.Random, tables: Sequence[Table]) -> None:
        self.rng = rng
        self._tables = tables
        self._parents = {reference.parent for table in tables for reference in table.references}

    def statement(self) -> str:
        rng = self.rng
        table = rng.choice(self._tables)
        draw = rng.random()
        if draw < 0.40:
            return self._insert(table, "INSERT INTO")
        # REPLACE of a parent under the same key leaves its children on the source alone, and is logged as a delete and an
        # insert, of which the replica's foreign keys know only the first half (MySQL 9.7.4): nothing of replfix's is.
        if draw < 0.46 and table.name not in self._parents:
            return self._insert(table, "REPLACE INTO")
        if draw < 0.50:
            return self._insert(table, "INSERT IGNORE INTO")
        if draw < 0.55:
            return f"{self._insert(table, 'INSERT INTO')} ON DUPLICATE KEY UPDATE {self._assignments(table)}"
        if draw < 0.83:
            return f"UPDATE {table.sql} SET {self._assignments(table)} WHERE {self._condition(table)}"
        return f"DELETE FROM {table.sql} WHERE {self._condition(table)}"

    def _insert(self, table: Table, verb: str) -> str:
        rng = self.rng
        columns = [c for c in table.written if not (c.counts and rng.random() < 0.3)]
        names = ", ".join(quoted(column.name) for column in columns)
        rows = ", ".join(
            f"({', '.join(self._value(column) for column in columns)})" for _ in range(rng.choice((1, 1, 1, 2, 3)))
        )
        return f"{verb} {table.sql} ({names}) VALUES {rows}"

    def _assignments(self, table: Table) -> str:
        rng = self.rng
        columns = rng.sample(table.written, min(len(table.written), rng.choice((1, 1, 2, 3))))
        return ", ".join(map(self._assignment, columns))

    def _assignment(self, column: Column) -> str:
        return f"{quoted(column.name)} = {self._value(column)}"

    def _condition(self, table: Table) -> str:
        rng = self.rng
        names = table.identity if table.identity and rng.random() < 0.6 else (rng.choice(table.written).name,)
        conditions = []
        for column in map(table.column, names):
            value = self._value(column)
            conditions.append(f"{quoted(column.name)} {'IS' if value == 'NULL' else '='} {value}")
        return " AND ".join(conditions)

    def _value(self, column: Column) -> str:
        rng = self.rng
        return "NULL" if column.nullable and rng.random() < 0.2 else rng.choice(column.kind.values)
