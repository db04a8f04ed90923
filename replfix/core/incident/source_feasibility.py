"""What is known of the source as a server to write on: for the strategies that bring displaced rows there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from replfix.core.conflicts.foreign_keys.child_rows import Child
from replfix.core.plan.trigger_reach import Reach
from replfix.core.rows.lookup import Answers, Lookup, by_identity, by_key
from replfix.core.rows.row_diff import same
from replfix.core.rows.row_values import RowImage
from replfix.core.schema.table import Table, TableName

MOST = 1000
"""Displaced rows of one transaction for which the source is asked; more are a matter for a human."""

Named = tuple[TableName, RowImage]


@dataclass(frozen=True, slots=True)
class SourceFeasibility:
    """``obstacles`` are the reasons why nothing can be written there; with one of them, the rest is not asked."""

    uuid: str
    obstacles: tuple[str, ...] = ()
    mutual: bool = False  # it replicates from this very replica as well
    tables: Mapping[TableName, Table] = field(default_factory=dict)  # as the source defines them
    holders: Answers = field(default_factory=dict)  # its rows that have a unique key of a displaced row
    here: Answers = field(default_factory=dict)  # the replica's rows of the names of those
    beyond: Mapping[TableName, int] = field(default_factory=dict)
    """The AUTO_INCREMENT value to begin with where the source's next one could be taken on the replica."""
    reach: Mapping[tuple[TableName, str], Reach] = field(default_factory=dict)
    """Of INSERT, UPDATE and DELETE on those tables, where triggers wait for that."""
    children: tuple[Child, ...] = ()
    """Rows of the replica that reference a displaced row, or one another, and that the source does not have."""
    increment: int = 1  # its auto_increment_increment

    def holding(self, table: Table, row: RowImage) -> Iterator[tuple[str, RowImage]]:
        """Yield the source's rows that have a unique key of that one, each with the key's name."""
        for key in table.unique_keys:
            lookup = by_key(table, key, row)
            for found in self.holders.get(lookup, ()) if lookup is not None else ():
                yield key.name, found

    def another_here(self, table: Table, row: RowImage) -> RowImage | None:
        """Return the replica's row of that name, where it is not the same."""
        lookup = by_identity(table, row)
        found = self.here.get(lookup, ()) if lookup is not None else ()
        return next((ours for ours in found if not same(table, ours, row)), None)


def questions(rows: Iterable[Named], tables: Mapping[TableName, Table]) -> tuple[Lookup, ...]:
    """Return what to ask the source: which rows have those rows' unique keys. ``tables``: the source's definitions."""
    asked = (by_key(tables[name], key, row) for name, row in rows for key in tables[name].unique_keys)
    return tuple(dict.fromkeys(lookup for lookup in asked if lookup is not None))
