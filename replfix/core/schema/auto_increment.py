"""The counter of an AUTO_INCREMENT column."""

from __future__ import annotations

from dataclasses import dataclass

from replfix.core.schema.table import Column


@dataclass(frozen=True, slots=True)
class Counter:
    """An AUTO_INCREMENT column: what it hands out next, and what is there."""

    column: Column
    next_value: int | None  # None: the server does not show it
    highest: int | None  # MAX(column); None in an empty table

    @property
    def limit(self) -> int | None:
        """The highest value of the column's type; None for types that are no integers."""
        bits = {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}.get(self.column.data_type)
        return None if bits is None else 2 ** (bits if self.column.unsigned else bits - 1) - 1


@dataclass(frozen=True, slots=True)
class AutoIncrement:
    """auto_increment_increment and auto_increment_offset of one server (global values)."""

    increment: int
    offset: int
