"""Rows by key. The server compares, under its own collations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from replfix.core.rows.lookup import Answers, Lookup
    from replfix.core.schema.table import Column, Table, TableName


class Rows(Protocol):
    """Rows by key. The server compares, under its own collations."""

    def rows_up_to(self, name: TableName, limit: int) -> int | None:
        """Return how many rows a table has; None for more than ``limit``."""
        ...

    def find(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        """Return the rows that each look-up finds, all from one consistent snapshot; every look-up is in the answer."""
        ...

    def count(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> dict[Lookup, int]:
        """Return how many rows each look-up finds; for rows that may be too many to read."""
        ...

    def weights(self, column: Column, values: Sequence[str]) -> list[bytes]:
        """Return what this server compares of each of those texts of a column: equal ones are one in a unique key."""
        ...

    def find_uncommitted(self, tables: Mapping[TableName, Table], lookups: Sequence[Lookup]) -> Answers:
        """Do as ``find``, without a snapshot, and with rows of XA transactions that are only prepared."""
        ...
