"""Statements that only worlds with variations have: of several tables, out of other rows, and several for one purpose."""

from __future__ import annotations

import random
from collections.abc import Sequence

from tests.convergence.schema import Column, Table, quoted
from tests.convergence.workload import Workload

SAVE, TAKE_BACK = "SAVEPOINT s", "ROLLBACK TO SAVEPOINT s"
_LONG = "JSON_OBJECT('a', 1, 'b', REPEAT('long ', 30), 'c', JSON_ARRAY(1, 2, 3))"
_CHANGES = ("JSON_SET({}, '$.a', 7)", "JSON_REPLACE({}, '$.c[1]', 'x')", "JSON_REMOVE({}, '$.c')")


class Wider(Workload):
    def __init__(self, rng: random.Random, tables: Sequence[Table]) -> None:
        super().__init__(rng, tables)
        self._next: list[str] = []

    def statement(self) -> str:
        if self._next:
            return self._next.pop(0)
        draw, way = self.rng.random(), self.rng.choice(self._ways)
        if draw < 0.55:
            return super().statement()
        self._next = list(way(self, self.rng.choice(self._tables)))
        return self._next.pop(0) if self._next else super().statement()

    def _assignment(self, column: Column) -> str:
        if column.kind.type == "JSON" and self.rng.random() < 0.7:
            changed = self.rng.choice((*_CHANGES, _LONG)).format(quoted(column.name))
            return f"{quoted(column.name)} = {changed}"
        return super()._assignment(column)

    def _swap(self, table: Table) -> Sequence[str]:
        """Two rows exchange a value, by a third one: of a key, as often as not."""
        columns = [column for column in table.written if len(column.kind.values) > 2]
        keys = [column for column in columns if any(quoted(column.name) in key for key in table.uniques)]
        keys += [column for column in columns if column.name in table.identity]
        if not columns:
            return ()
        column = self.rng.choice(keys or columns)
        one, other, between = self.rng.sample(column.kind.values, 3)
        name = quoted(column.name)
        turns = ((one, between), (other, one), (between, other))
        return [f"UPDATE {table.sql} SET {name} = {to} WHERE {name} = {then}" for then, to in turns]

    def _moved_up(self, table: Table) -> Sequence[str]:
        """Every row gets the key of the next one."""
        numbers = [column for column in table.written if column.kind.type in ("INT", "SMALLINT UNSIGNED")]
        if not numbers:
            return ()
        name = quoted(self.rng.choice(numbers).name)
        return (f"UPDATE {table.sql} SET {name} = {name} + 1 ORDER BY {name} DESC LIMIT 3",)

    def _all_rows(self, table: Table) -> Sequence[str]:
        return (f"UPDATE {table.sql} SET {self._assignments(table)}",)

    def _first_rows(self, table: Table) -> Sequence[str]:
        order = ", ".join(map(quoted, table.identity or [column.name for column in table.columns]))
        what = self.rng.choice(
            ("DELETE FROM {}", "UPDATE {} SET " + self._assignments(table).replace("{", "{{").replace("}", "}}"))
        )
        return (f"{what.format(table.sql)} ORDER BY {order} LIMIT {self.rng.randint(1, 3)}",)

    def _taken_back(self, table: Table) -> Sequence[str]:
        return SAVE, self._insert(table, "INSERT INTO"), super().statement(), TAKE_BACK

    def _copied(self, table: Table) -> Sequence[str]:
        """Rows out of rows: under new numbers, or over those that they collide with."""
        rng = self.rng
        columns = [column for column in table.written if not column.counts]
        if not columns:
            return ()
        names = ", ".join(quoted(column.name) for column in columns)
        values = ", ".join(quoted(c.name) if rng.random() < 0.7 else self._value(c) for c in columns)
        last = rng.choice(columns)
        behind = (
            f" ON DUPLICATE KEY UPDATE {quoted(last.name)} = VALUES({quoted(last.name)})" if rng.random() < 0.5 else ""
        )
        order = ", ".join(map(quoted, table.identity or [column.name for column in table.columns]))
        return (f"INSERT INTO {table.sql} ({names}) SELECT {values} FROM {table.sql} ORDER BY {order} LIMIT 2{behind}",)

    def _child(self, table: Table) -> Sequence[str]:
        """A row whose parent is there."""
        if not table.references:
            return ()
        number = self.rng.randrange(len(table.references))
        reference, theirs = table.references[number], table.columns_of_parent[number]
        parent = next(each for each in self._tables if each.name == reference.parent)
        taken = dict(zip(reference.columns, theirs, strict=True))
        columns = [column for column in table.written if not column.counts]
        values = (f"p.{quoted(taken[c.name])}" if c.name in taken else self._value(c) for c in columns)
        order = ", ".join(f"p.{quoted(name)}" for name in theirs)
        return (
            f"INSERT INTO {table.sql} ({', '.join(quoted(c.name) for c in columns)}) "
            f"SELECT {', '.join(values)} FROM {parent.sql} p ORDER BY {order} LIMIT {self.rng.randint(1, 2)}",
        )

    def _family(self, table: Table) -> Sequence[str]:
        """Parents and children in one statement; and a parent alone, on which they hang."""
        rng = self.rng
        if not table.references:
            return ()
        number = rng.randrange(len(table.references))
        reference, theirs = table.references[number], table.columns_of_parent[number]
        parent = next(each for each in self._tables if each.name == reference.parent)
        both = " AND ".join(f"c.{quoted(a)} = p.{quoted(b)}" for a, b in zip(reference.columns, theirs, strict=True))
        joined = f"{table.sql} c JOIN {parent.sql} p ON {both}"
        column, key = rng.choice(table.written), parent.column(theirs[0])
        set_ = f"c.{quoted(column.name)} = {self._value(column)}"
        return rng.choice(
            (
                (f"DELETE c, p FROM {joined} WHERE p.{quoted(key.name)} = {self._value(key)}",),
                (f"UPDATE {joined} SET {set_}",),
                (f"UPDATE {joined} SET {set_}, p.{quoted(key.name)} = p.{quoted(key.name)}",),
                (f"DELETE p FROM {joined}",),
                (
                    f"UPDATE {parent.sql} SET {quoted(key.name)} = {self._value(key)} WHERE {quoted(key.name)} = {self._value(key)}",
                ),
            )
        )

    _ways = (
        _swap,
        _swap,
        _moved_up,
        _all_rows,
        _first_rows,
        _taken_back,
        _copied,
        _copied,
        _child,
        _child,
        _child,
        _family,
        _family,
    )
